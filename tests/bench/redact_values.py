"""Invented values for the redaction bench: addresses, keys, passwords, and what looks like them."""

# ruff: noqa: E501, S104, SIM905 - one line for one case reads best in a table

from __future__ import annotations

import base64
import json
import random
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
URL64 = BASE62 + "-_"
FIRST = "anna bob chen dmitri elif fatima george hiro ines jamal katya lars mei nils olga".split()
LAST = (
    "abbott brown costa duval evans fischer garcia hansen ito jones kim lopez meyer novak".split()
)
HOSTS = "gmail.com yahoo.co.uk web.de mail.ru acme-corp.com uni-bonn.de mit.edu redhat.com".split()
HOSTS += "posteo.net startup.io kernel.org wp.pl naver.com free.fr cs.cmu.edu initech.co".split()
WORDS = "dragon monkey sunshine coffee winter falcon orange silver thunder garden pepper".split()


class Values:
    """Draws values of each kind; the same seed draws the same values."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311

    def draw(self, name: str) -> str:
        """A value by the name that templates use for it."""
        drawn: str = getattr(self, f"draw_{name}")()
        return drawn

    def chars(self, alphabet: str, n: int) -> str:
        return "".join(self.rng.choices(alphabet, k=n))

    def draw_email(self) -> str:
        first, last = self.rng.choice(FIRST), self.rng.choice(LAST)
        local = self.rng.choice(
            [f"{first}.{last}", f"{first}{self.rng.randint(1, 99)}", f"{first[0]}{last}",
             f"{first}_{last}", f"{first}+git", f"{last}", f"{first}-{last}", f"{first.title()}.{last.title()}"]
        )  # fmt: skip
        return f"{local}@{self.rng.choice(HOSTS)}"

    def draw_ip(self) -> str:
        first = self.rng.choice(
            [n for n in range(3, 223) if n not in (10, 100, 127, 169, 172, 192, 198, 203)]
        )
        return f"{first}.{self.rng.randint(0, 255)}.{self.rng.randint(0, 255)}.{self.rng.randint(1, 254)}"

    def draw_ipv6(self) -> str:
        groups = [f"{self.rng.randint(1, 0xFFFF):x}" for _ in range(5)]
        return "2a0" + str(self.rng.randint(1, 9)) + ":" + ":".join(groups[:3]) + "::" + groups[4]

    def draw_password(self) -> str:
        word, other = self.rng.sample(WORDS, 2)
        return self.rng.choice(
            [
                f"{word}{self.rng.randint(10, 9999)}",
                f"{word.title()}{self.rng.randint(1, 99)}!",
                f"{word}{other}{self.rng.randint(1, 9)}",
                f"{word[0].upper()}{word[1:]}@{self.rng.randint(100, 999)}",
                self.chars(BASE62, self.rng.randint(8, 16)) + "7",
                self.chars(BASE62 + "!#%*^_-", self.rng.randint(10, 18)) + "x9",
                word.replace("o", "0").replace("e", "3") + "#" + str(self.rng.randint(1, 99)),
            ]
        )

    def draw_generic(self) -> str:
        """A key in no issuer's format."""
        n = self.rng.choice([24, 32, 40, 48])
        return self.rng.choice(
            [self.chars(BASE62, n) + "4b", self.chars(URL64, n) + "9Qz",
             base64.b64encode(self.rng.randbytes(30)).decode(), self.chars(BASE62, 32) + "Z1a"]
        )  # fmt: skip

    def draw_hexkey(self) -> str:
        return self.chars(HEX, self.rng.choice([32, 40, 64]))

    def draw_token(self) -> str:
        """A token in the format of one of some thirty issuers."""
        makers = [
            self._crc("ghp_", 30), self._crc("gho_", 30), self._crc("npm_", 30),
            "github_pat_" + self.chars(BASE62, 22) + "_" + self.chars(BASE62, 59),
            "glpat-" + self.chars(URL64, 20), "AKIA" + self.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            "ASIA" + self.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16), "AIza" + self.chars(URL64, 35),
            "GOCSPX-" + self.chars(URL64, 28), "ya29." + self.chars(URL64, 60),
            f"xoxb-{self.digits(12)}-{self.digits(12)}-{self.chars(BASE62, 24)}",
            f"xapp-1-A{self.chars(UPPER, 10)}-{self.digits(13)}-{self.chars(HEX, 64)}",
            "sk_live_" + self.chars(BASE62, 24), "rk_test_" + self.chars(BASE62, 24),
            "SG." + self.chars(URL64, 22) + "." + self.chars(URL64, 43), "SK" + self.chars(HEX, 32),
            "pypi-AgEIcHlwaS5vcmc" + self.chars(URL64, 70), self._jwt(),
            "key-" + self.chars(HEX, 32), self.chars(HEX, 32) + "-us12", "shpat_" + self.chars(HEX, 32),
            "dop_v1_" + self.chars(HEX, 64), "hf_" + self.chars(string.ascii_letters, 34),
            "sk-ant-api03-" + self.chars(URL64, 93) + "AA", "sk-proj-" + self.chars(URL64, 74),
            "sk-" + self.chars(BASE62, 48), "dapi" + self.chars(HEX, 32), "hvs." + self.chars(URL64, 90),
            "glsa_" + self.chars(BASE62, 32) + "_" + self.chars(HEX, 8), "NRAK-" + self.chars(UPPER, 27),
            "lin_api_" + self.chars(BASE62, 40), "PMAK-" + self.chars(HEX, 24) + "-" + self.chars(HEX, 34),
            f"{self.digits(9)}:AA{self.chars(URL64, 33)}", "dckr_pat_" + self.chars(URL64, 27),
            "sq0atp-" + self.chars(URL64, 22), "rubygems_" + self.chars(HEX, 48),
        ]  # fmt: skip
        return self.rng.choice(makers)

    def draw_pem(self) -> str:
        body = base64.b64encode(self.rng.randbytes(600)).decode()
        return "\n".join(body[at : at + 64] for at in range(0, len(body), 64))

    def draw_pem_escaped(self) -> str:
        return self.draw_pem().replace("\n", "\\n")

    def draw_basic(self) -> str:
        return base64.b64encode(
            f"{self.rng.choice(FIRST)}:{self.draw_password()}".encode()
        ).decode()

    def draw_user(self) -> str:
        return self.rng.choice(FIRST) + self.rng.choice(["", "1", "_admin"])

    def draw_sha(self) -> str:
        return self.chars(HEX, self.rng.choice([32, 40, 64]))

    def draw_uuid(self) -> str:
        return "-".join(self.chars(HEX, n) for n in (8, 4, 4, 4, 12))

    def draw_version(self) -> str:
        return ".".join(str(self.rng.randint(0, 25)) for _ in range(4))

    def draw_private(self) -> str:
        return self.rng.choice(
            ["10.0.3.17", "192.168.1.44", "172.16.0.9", "127.0.0.1", "8.8.8.8", "203.0.113.9",
             "255.255.255.0", "0.0.0.0", "1.1.1.1", "169.254.1.1"]
        )  # fmt: skip

    def draw_reserved(self) -> str:
        return self.rng.choice(
            ["jane@example.com", "user@example.org", "root@localhost", "a@b.invalid", "x@corp.test"]
        )

    def draw_integrity(self) -> str:
        return "sha512-" + base64.b64encode(self.rng.randbytes(64)).decode()

    def draw_word(self) -> str:
        return self.rng.choice(WORDS)

    def digits(self, n: int) -> str:
        return self.chars(string.digits[1:], n)

    def _crc(self, prefix: str, n: int) -> str:
        body = self.chars(BASE62, n)
        number, check = zlib.crc32(body.encode()), ""
        while number:
            number, digit = divmod(number, 62)
            check = BASE62[digit] + check
        return prefix + body + check.rjust(6, "0")

    def _jwt(self) -> str:
        header = {"alg": self.rng.choice(["HS256", "RS256"]), "typ": "JWT"}
        claims = {"sub": self.digits(10), "iat": int(self.digits(9))}
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in (header, claims)
        ]
        return ".".join([*parts, self.chars(URL64, 43)])
