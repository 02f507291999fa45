"""How surprising it is that one character follows another in code.

Row a, column b holds -log2 P(b | a) in half bits as one base-36 digit. Rows and columns are the
letters a to z, A to Z, and 0, which stands for all digits. Counted over the distinct words of the
files of the default corpus by tests/bench/train_bigrams.py.
"""

from __future__ import annotations

import string
from itertools import pairwise

ALPHABET = string.ascii_lowercase + string.ascii_uppercase + "0"

ROWS = (
    "k989jfalald697r9n685cdfebimqnnnlspnztoumuozzljzpuzzzf",
    "6dbd6ffj7bi4ef8eg98c7impbiulnpmupouuoouuunoohpuuuuuua",
    "6jbg6im79x89hh5hj9c69lkoeplrlonnnpixpsprlmxmnlossxxxe",
    "7fea3eel5fmage8gob8d9gjhdoiigheirkhwrklkjhohggnknwrwd",
    "9f86cbciflj9a6fae568hceafkjmijgjomjtpkjjkitjhinllnzrf",
    "7iff67gn4uh8fe6gu8c98lkmaujnmupmuupuuuonmluklpuulumub",
    "8hfi4h987uuab89fm79d8ikpfglphihhouhuplnmmhnkkkmmnuuuf",
    "5fjg4kkm6plbcf6hk9c89llpcunukkkkumlmlhlpmkmkiimomuuuf",
    "ab899baoklg9947bjb87lazezbzpznsulzozrrzzznzzzqzuzzzzk",
    "5nhn3nnnaiefng5agj7f6hcnnnnnnnnnnnnnnnnnnnhnninnnnnnb",
    "9egc3hdg6rh9gbbdje6dbiagdhilfjinkijrjngmmhligfmlncrrg",
    "6fea4ggj5lh7hg7exia9aekp7kmmjjiimnksqllonjskhklnpsssi",
    "5ahg4khn6vhd9d85mhaf9ljpevorjoilnnmvvpmnqjvjikomjvvvg",
    "8h877b5h9iddfbaelh75ccjjfmlnhjgkmpkymkjmmktlkipnjysyi",
    "cc99geclchc884a9n5a98bafjjosokmmttmsyooqnonmmlottyytj",
    "6kgd5ggb8oi6gj78m6a8ajjlarmnkmjkwrjwwlrpolwlllpowwwwf",
    "eoojoookkoo6gfhhicah1oooooooooooooooooooooooooooooooe",
    "6gcb4ecj6rcdab6fn988cdgnaulnkkkkpomurnmookujkjspnqyyj",
    "al9g5ei96kdcef99eh748jfncpllimjkosjxronkkjxkojsmnxxxh",
    "7jcg4gj84olcfi8fq78aajelalklgjhinkhspiklliyihhmloqyyf",
    "999c8dbqarl786e8q676ilrinmwwwwwwwwwwwwwwwqwwroqwwwww9",
    "5jgn2mhn5tljgh9ktifgjkloktttotttttottonotottotttotttc",
    "5egc6ik86nibg76fs78ekmeksljlikhjssissnjssssniissssssf",
    "ac8c7clg8ongfmg7ugf6lkpgfkbbbbbbppkuuhnukjpmpjuknkuu3",
    "ccbc9gdj8nj997b4sc77kfbggehhcedfkjeshgegfdlgdeiknsnse",
    "6ipj1hph7ppdek9ippghekkpadepppppppppppppppppppppppppb",
    "odcatgeooto9hbtbn9abbfhhtmga9affbmbng7a8kan797dfhfckb",
    "5qqk9qqq8qqaqq9qqalq7qqq9q8ebf9ehl9fq8fjafibbh9qkqcg8",
    "8tntfot8itt9tt4ttbllctttjo9hdd8fj9coabgj7etce9clntgob",
    "7sns5sss6gsslh8ssdeibsssgs8cfb6cel7ijced9gsdbediiihsa",
    "htpelkltittce9thg7gtkct7ttaf98ccbmgpgaa7dcd679icgaemb",
    "8qqmaqqq5qqahk6qq8kq9qmqqqafdeaajq7qhbhl8iqcdbcqjqeq7",
    "cppp5ppjbppdpjakp6kicppppk9dde5pc98piae9cdk8accpppghc",
    "6ppp7jpp9pplpp8ppppcbpppep5jge5gpf8pidip7hjcf7cplpepd",
    "ttkbohfttttla5ottldbttttttaf9aacanhlg9957bjb98hcodmdl",
    "6kkkbkkk9kkkkk6kkk9k6kkkgkckgk8gkkfgdkkk9fkk4kbkdkkkk",
    "cmmm4mmibmmfmeemmffmemfmimceid4mfa6mfcf9fiif9edmchmmb",
    "9nlm8rrr7nrmrr7rrrelgrrrrr7gcb6fgk6rk7eh7frfaaakgndje",
    "5rmr7rrr9rrrrr7lrmjr9lmrdr6cef6fil8rraae98jgcgcirkjre",
    "9nss8sssisssss6sssilbnssns9g987c7jasddjd9dhj76adljfnj",
    "sbgsscsmssshibs8sasfccknssddaafbdlcjc995c9k6999d9gljh",
    "6sshbssgcssbss8ns5gsbfss9s8ned8lhd9si9gi8ak9cabkimblc",
    "glllllllllllllfllllg4lllll9llllllllll4lflegbfl3llllll",
    "asof4sssdsssssbsssjsbsssss8fbb5edm8secbc8fsb99cehsbsh",
    "ct9o7ttbatfggib9itt6anioctboae7fea8medeiabch97bijketh",
    "atlt8otaamkttt9tt8gtdtgt8t8lcf6go86mkeeh9ct8aacjfhbgd",
    "qqqqqqmqmmliq6qaqc8dimqqqmabcc9eeqaqh897d8q777ekqqqqj",
    "4oho7ooo7oohoodooofoiooooo6jej4jho7ooehfcjohgffjhoooc",
    "6ooo7oo76ooooo8oo7jooooooo7jok9ik98ogcka9kob9hoheioof",
    "blhllhllcllleldllllllllgllcg7d7edf8lle7ab5lce5egh8dhc",
    "hmmmammm9mmmmm6mmmmmfmmmmmaedh7fem9mmac8b6ma77fm9m8eb",
    "8jjf8jjc9jjjjj9jjjfjfjfjjj9jjc4jjc9jjjaj6ajcfjjjjjcd8",
    "bbababtnmtnkiipitntjimtpttcccccctpmttnkltntnjmlplttt1",
)

_SYMBOLS = {character: number for number, character in enumerate(ALPHABET)}
_SYMBOLS |= dict.fromkeys(string.digits, _SYMBOLS["0"])
_BITS = {(a, b): int(ROWS[_SYMBOLS[a]][_SYMBOLS[b]], 36) / 2 for a in _SYMBOLS for b in _SYMBOLS}


def surprise(text: str) -> float:
    """Mean bits per pair of letters or digits: words of code about 4, random text 7 to 9."""
    bits = [_BITS[pair] for pair in pairwise(text) if pair in _BITS]
    return sum(bits) / len(bits) if bits else 0.0
