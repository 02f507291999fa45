"""The token formats that name their issuer: what they begin with and what follows.

Taken from the issuers' documentation. Only what is secret stands here: publishable keys (Stripe's
`pk_`, Mapbox' `pk.`), account names and key ids that open nothing are left out. Each pattern runs
on past the documented length, so that no end of a longer token is left behind.
"""

from __future__ import annotations

import base64
import binascii
import json
import string
import zlib
from collections.abc import Callable
from typing import NamedTuple

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_A = "A-Za-z0-9"


class Format(NamedTuple):
    """A token's name, its possible prefixes and the regular expression of the rest.

    `check` decides from the whole token where the format has a checksum or a structure: True says
    certainly a token, False certainly none, None that its randomness decides.
    """

    name: str
    prefixes: tuple[str, ...]
    rest: str
    check: Callable[[str], bool | None] | None = None


def crc32_base62(token: str) -> bool | None:
    """GitHub's and npm's checksum: the last six characters are the CRC-32 of what is before.

    Source: GitHub's blog, "Behind GitHub's new authentication token formats" (2021).
    """
    body = token[token.rindex("_") + 1 :]
    number = zlib.crc32(body[:-6].encode())
    digits = ""
    while number:
        number, remainder = divmod(number, 62)
        digits = _BASE62[remainder] + digits
    return True if digits.rjust(6, "0") == body[-6:] else None


def json_header(token: str) -> bool | None:
    """A JWT's first part is a JSON object that names its algorithm (RFC 7515, 4.1.1)."""
    first = token.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and ("alg" in header or "typ" in header or "enc" in header)


FORMATS = (
    Format("github", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"[{_A}]{{36,}}", crc32_base62),
    Format("github fine-grained", ("github_pat_",), r"\w{40,}"),
    Format(
        "gitlab",
        (
            "glpat-",
            "gldt-",
            "glrt-",
            "glptt-",
            "glft-",
            "glimt-",
            "glsoat-",
            "glcbt-",
            "glagent-",
            "GR1348941",
        ),
        r"[\w-]{20,}(?:\.[\w-]+)*",
    ),
    Format("aws access key", ("AKIA", "ASIA", "ABIA", "ACCA"), rf"[A-Z0-9]{{16}}(?![{_A}])"),
    Format("aws bedrock", ("ABSK",), r"[A-Za-z0-9+/]{100,}={0,2}"),
    Format("alibaba", ("LTAI",), rf"[{_A}]{{12,26}}(?![{_A}])"),
    Format("tencent", ("AKID",), rf"[{_A}]{{32}}(?![{_A}])"),
    Format("google api", ("AIza",), r"[\w-]{35,}"),
    Format("google oauth secret", ("GOCSPX-",), r"[\w-]{24,}"),
    Format("google access", ("ya29.",), r"[\w.-]{20,}"),
    Format("google refresh", ("1//0",), r"[\w-]{38,}"),
    Format("yandex", ("AQVN",), r"[\w-]{35,}"),
    Format("azure storage", ("AccountKey=", "SharedAccessKey="), r"[A-Za-z0-9+/]{40,}={0,2}"),
    Format("azure devops", ("AZDO_",), r"\w{40,}"),
    Format(
        "slack",
        (
            "xoxb-",
            "xoxa-",
            "xoxp-",
            "xoxr-",
            "xoxs-",
            "xoxo-",
            "xoxe-",
            "xoxe.xoxb-",
            "xoxe.xoxp-",
            "xoxc-",
            "xoxd-",
        ),
        r"[\w%+/-]{10,}=*",
    ),
    Format("slack app", ("xapp-",), r"\d-[\w-]{20,}"),
    Format(
        "slack webhook",
        ("hooks.slack.com/services/", "hooks.slack.com/workflows/"),
        r"T\w+/\w+/[\w/]{16,}",
    ),
    Format(
        "discord webhook",
        ("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
        r"\d{15,}/[\w-]{40,}",
    ),
    Format("stripe", ("sk_live_", "sk_test_", "rk_live_", "rk_test_"), rf"[{_A}]{{16,}}"),
    Format("webhook signing", ("whsec_",), r"[\w+/-]{24,}=*"),
    Format("square", ("sq0atp-", "sq0csp-", "sq0idp-"), r"[\w-]{22,}"),
    Format("square access", ("EAAA",), r"[\w-]{56,}"),
    Format("facebook", ("EAAC", "EAAM", "EAAG", "EAAB"), rf"[{_A}]{{80,}}"),
    Format("paypal", ("access_token$production$", "access_token$sandbox$"), r"\w{10,}\$\w{24,}"),
    Format(
        "plaid", ("access-sandbox-", "access-development-", "access-production-"), r"[0-9a-f-]{36}"
    ),
    Format("shopify", ("shpat_", "shpca_", "shppa_", "shpss_"), r"[0-9a-fA-F]{32,}"),
    Format("flutterwave", ("FLWSECK-", "FLWSECK_TEST-"), rf"[{_A}]{{12,}}(?:-X)?"),
    Format("easypost", ("EZAK", "EZTK"), rf"[{_A}]{{54,}}"),
    Format("lob", ("live_", "test_"), rf"[0-9a-f]{{35,}}(?![{_A}])"),
    Format("shippo", ("shippo_live_", "shippo_test_"), r"[0-9a-f]{40,}"),
    Format("duffel", ("duffel_live_", "duffel_test_"), r"[\w-]{40,}"),
    Format("twilio", ("SK", "AC"), rf"[0-9a-f]{{32}}(?![{_A}])"),
    Format("sendgrid", ("SG.",), r"[\w-]{16,}\.[\w-]{16,}"),
    Format("mailgun", ("key-", "pubkey-"), rf"[0-9a-z]{{32}}(?![{_A}])"),
    Format("sendinblue", ("xkeysib-", "xsmtpsib-"), rf"[0-9a-f]{{64}}-[{_A}]{{16,}}"),
    Format("postmark", ("pm-",), r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    Format("npm", ("npm_",), rf"[{_A}]{{36,}}", crc32_base62),
    Format("pypi", ("pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"), r"[\w-]{40,}"),
    Format("rubygems", ("rubygems_",), r"[0-9a-f]{48,}"),
    Format("clojars", ("CLOJARS_",), rf"[{_A}]{{60,}}"),
    Format("nuget", ("oy2",), rf"[a-z0-9]{{43}}(?![{_A}])"),
    Format("crates", ("cio",), rf"[{_A}]{{32}}(?![{_A}])"),
    Format("docker", ("dckr_pat_", "dckr_oat_"), r"[\w-]{24,}"),
    Format("artifactory", ("AKCp", "cmVmdGtu"), rf"[{_A}]{{56,}}"),
    Format(
        "jwt", ("eyJ",), r"[\w-]{10,}\.[\w-]{10,}(?:\.(?:[\w-]|%[0-9A-F]{2})*){0,3}=*", json_header
    ),
    Format("mapbox", ("sk.eyJ",), r"[\w-]{20,}\.[\w-]{10,}"),
    Format("openai", ("sk-", "sess-"), rf"[{_A}]{{40,}}(?![\w-])"),
    Format("openai project", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"), r"[\w-]{32,}"),
    Format("openrouter", ("sk-or-v1-",), r"[0-9a-f]{48,}"),
    Format("anthropic", ("sk-ant-",), r"[\w-]{32,}"),
    Format("hugging face", ("hf_", "api_org_"), rf"[{_A}]{{30,}}"),
    Format("groq", ("gsk_",), rf"[{_A}]{{40,}}"),
    Format("perplexity", ("pplx-",), rf"[{_A}]{{40,}}"),
    Format("replicate", ("r8_",), rf"[{_A}]{{36,}}"),
    Format("xai", ("xai-",), rf"[{_A}]{{60,}}"),
    Format("nvidia", ("nvapi-",), r"[\w-]{50,}"),
    Format("langchain", ("lsv2_pt_", "lsv2_sk_", "ls__"), r"[0-9a-f]{32}(?:_[0-9a-f]{10})?"),
    Format("databricks", ("dapi",), rf"[0-9a-f]{{32}}(?:-\d)?(?![{_A}])"),
    Format("digitalocean", ("dop_v1_", "doo_v1_", "dor_v1_"), r"[0-9a-f]{64,}"),
    Format("heroku", ("HRKU-",), r"[\w-]{36,}"),
    Format("cloudflare origin", ("v1.0-",), r"[0-9a-f]{24}-[0-9a-f]{100,}"),
    Format("fly", ("fo1_", "fm1r_", "fm2_"), r"[\w+/-]{40,}=*"),
    Format("netlify", ("nfp_",), rf"[{_A}]{{36,}}"),
    Format("render", ("rnd_",), rf"[{_A}]{{28,}}"),
    Format("supabase", ("sbp_",), r"[0-9a-f]{40,}"),
    Format("planetscale", ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), r"[\w.=-]{32,}"),
    Format("vault", ("hvs.", "hvb.", "hvr."), r"[\w-]{20,}"),
    Format(
        "doppler",
        ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."),
        rf"(?:[a-z0-9_-]{{2,35}}\.)?[{_A}]{{40,}}",
    ),
    Format("dynatrace", ("dt0c01.", "dt0s01.", "dt0s16."), r"[A-Z2-7]{24}\.[A-Z2-7]{32,}"),
    Format("grafana", ("glsa_",), rf"[{_A}]{{32}}_[0-9a-fA-F]{{8}}"),
    Format("grafana cloud", ("glc_",), r"[A-Za-z0-9+/]{32,}=*"),
    Format("sentry", ("sntrys_", "sntryu_"), r"[\w+/=-]{40,}"),
    Format("new relic", ("NRAK-", "NRJS-", "NRII-", "NRAA-"), r"[\w-]{19,}"),
    Format("atlassian", ("ATATT3", "ATCTT3"), r"[\w=-]{60,}"),
    Format("bitbucket", ("ATBB",), rf"[{_A}]{{24,}}"),
    Format("linear", ("lin_api_", "lin_oauth_"), rf"[{_A}]{{32,}}"),
    Format("notion", ("ntn_",), rf"[{_A}]{{40,}}"),
    Format("notion secret", ("secret_",), rf"[{_A}]{{43}}(?![{_A}])"),
    Format("postman", ("PMAK-",), r"[0-9a-f]{24}-[0-9a-f]{34}"),
    Format("pulumi", ("pul-",), r"[0-9a-f]{40,}"),
    Format("prefect", ("pnu_",), rf"[{_A}]{{36,}}"),
    Format("readme", ("rdme_",), r"[a-z0-9]{70,}"),
    Format("typeform", ("tfp_",), r"[\w.=-]{50,}"),
    Format("tailscale", ("tskey-",), r"(?:[a-z]+-)?[\w-]{16,}"),
    Format("figma", ("figd_",), r"[\w-]{36,}"),
    Format("airtable", ("pat",), rf"[{_A}]{{14}}\.[0-9a-f]{{64}}"),
    Format("contentful", ("CFPAT-",), r"[\w-]{40,}"),
    Format("sonarqube", ("sqp_", "squ_", "sqa_"), r"[0-9a-f]{40,}"),
    Format("sourcegraph", ("sgp_",), r"(?:\w+_)?[0-9a-f]{40,}"),
    Format("buildkite", ("bkua_",), r"[0-9a-f]{40,}"),
    Format("circleci", ("CCIPAT_", "CCIPRJ_"), r"\w{20,}"),
    Format(
        "launchdarkly", ("sdk-", "api-", "mob-"), r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    ),
    Format("octopus", ("API-",), rf"[A-Z0-9]{{25,}}(?![{_A}])"),
    Format("adobe", ("p8e-", "p8-"), r"[0-9a-zA-Z]{32,}"),
    Format("frame.io", ("fio-u-",), r"[\w-]{60,}"),
    Format("age", ("AGE-SECRET-KEY-1",), r"[0-9A-Z]{50,}"),
    Format("1password", ("ops_eyJ",), r"[\w+/=-]{100,}"),
    Format("instagram", ("IGQV",), r"[\w-]{60,}"),
    Format("twitter bearer", ("AAAAAAAAAAAAAAAAAAAAA",), r"[\w%+/-]{40,}=*"),
)

SHAPES = (  # tokens without a prefix of their own; tried where a long run with a digit begins
    ("discord bot", r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}"),
    ("mailchimp", r"[0-9a-f]{32}-us\d{1,2}(?!\w)"),
    ("terraform cloud", rf"[{_A}]{{14}}\.atlasv1\.[\w-]{{40,}}"),
    ("maxmind", rf"[{_A}]{{6}}_[{_A}]{{29}}_mmk(?!\w)"),
)
