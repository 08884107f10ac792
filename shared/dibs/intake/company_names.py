"""Read a company's name: without its legal form, and empty where it names no company (C6)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from zoneinfo import available_timezones

from cleanco.termdata import terms_by_country, terms_by_type
from iso4217 import Currency

from dibs.intake.domains import SHARED_BRANDS, company_domain, listed

# Legal forms missing in cleanco's list.
_MORE = listed(
    "berhad|sendirian berhad|private limited|pvt ltd|pvt limited|proprietary limited|sp z oo|tbk"
    "|ug",
    "|",
)
# Of the forms of up to three letters those that are no words, and the same in every country.
# ENT, UD, PT and others end names that mean something else.
_SHORT = listed(
    "ab ag as asa aps bhd bv co doo dd ehf gbr inc kft kg kk lda llc llp lp ltd nv ohg oy oyj pte "
    "pty plc pvt sa sas spa srl sro tbk ug zrt"
)
# In cleanco's list, but words.
_NO_FORMS = listed("private unlimited coop etat obrt tapui scop")
# One form in several spellings.
_SYNONYMS = {
    "limited": "ltd",
    "incorporated": "inc",
    "corporation": "corp",
    "company": "co",
    "berhad": "bhd",
    "sendirian": "sdn",
    "private": "pvt",
    "proprietary": "pty",
    "and": "",
}
# Written before the name, by country: in other countries these letters begin ordinary names.
_LEADING: Mapping[str, frozenset[str]] = {
    "ID": listed("pt cv ud"),
    "UA": listed("tov pp tzov"),
    "RU": listed("ooo oao zao pao"),
    "LT": listed("uab"),
    "": listed("ооо оао зао пао ао тоо тов"),  # in letters of their own
}
_INDONESIAN = listed("tbk persero")
# Written without a space, before the name or after it; the longer first.
_UNSPACED = (
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "有限公司",
    "株式会社",
    "有限会社",
    "合同会社",
    "주식회사",
    "유한회사",
    "(株)",
    "(有)",
    "(주)",
)
# What a form, a program or a person leaves where a name should be: [not provided], {{company}},
# ${name}, %COMPANY%, #N/A, --none--, an address.
_LEFT_OPEN = re.compile(
    r"""
      \[[^\[\]]*\] | \([^()]*\) | <[^<>]*> | \{[^{}]*\} | 【[^【】]*】 | 〔[^〔〕]*〕
    | .*(?:\{\{|\$\{|\{%|<%).*
    | %[^%]*% | \#[\w/]+[!?]?
    | ([*_=~.-]{2,}).*\1
    | .*\S@\S.*
    | (?:https?:|www\.).*
    """,
    re.VERBOSE | re.DOTALL,
)
# Words of which a text in place of a name is made, in languages our users' customers write. A small
# help only: what is missing here is found out by whom it comes with.
_FILLERS = listed(
    """
    a an any available applicable answer blank business client company confidential consumer
    corporation customer default demo domestic dummy employed empty enter entered false field firm
    freelance freelancer given here home homeowner household house individual info information
    input insert is it lead me mentioned mine my myself n na nan name nil no nobody none
    nope not nothing null object of only organisation organization other own pending person
    personal please private prospect provide provided residence resident residential retired sample
    secret self selfemployed sole specified stated string student tba tbc tbd temp test tester
    testing the there to trader true type undefined undisclosed unemployed unknown unnamed unset
    unspecified user value withheld without x your
    angabe angabenlos arbeitslos firma firmenname kein keine keinen keiner nicht ohne privat
    privatkunde privatperson selbst selbständig selbstständig unbekannt unternehmen vorhanden
    angegeben
    aucun aucune indépendant inconnu non nom particulier particuliers personnel privé pas de
    renseigné sans société entreprise néant étudiant
    aplica autónomo compañía desconocido disponible empresa ninguna ninguno no particular sin
    especificado hay nada negocio tengo
    autônomo desconhecido informado nenhum nenhuma não nao possui se tem particular pessoa física
    fisica
    azienda nessun nessuna nessuno privato sconosciuto disponibile
    bedrijf geen onbekend particulier niet van toepassing nvt
    ingen inget ikke okänd privatperson saknas foretag företag selskap virksomhed ukjent ei yritys
    yksityinen yksityishenkilö
    ada belum diisi individu kosong perorangan peribadi persendirian perusahaan pribadi sendiri
    syarikat tak tiada tidak wiraswasta bekerja nama
    brak dotyczy nie osoba prywatna prywatny firmy nieznana žádná soukromá neuvedeno nincs
    magánszemély magan nema nemá nav nėra puudub niciuna persoana fizica няма
    yok belirtilmemiş belirtilmedi bireysel şahıs bilinmiyor şirket yoktur
    không có cá nhân chưa cty wala
    нет не указано указана неизвестно неизвестна отсутствует частное лицо физическое физлицо
    компания компании организация без названия самозанятый немає невідомо приватна особа
    δεν υπάρχει καμία κανένα ιδιώτης άγνωστο
    لا يوجد لايوجد غير معروف متوفر محدد شخصي فرد بدون شركة ليس هیچ ندارد شخصی نامشخص کوئی نہیں
    אין פרטי ללא חברה לא ידוע
    कोई नहीं व्यक्तिगत निजी अज्ञात कंपनी নেই
    ไม่มี ไม่ระบุ ไม่ทราบ บุคคลธรรมดา ส่วนตัว ไม่มีบริษัท
    無 无 没有 沒有 暂无 暫無 未提供 未填 未填写 未知 未定 不明 个人 個人 私人
    没有公司 無公司 无公司
    自由职业 保密 测试 測試 なし 無し 該当なし 未記入 未入力 個人事業主 会社名 会社 公司 公司名称
    テスト 없음 개인 미정 해당없음 무직 회사 테스트
    """
)
# Countries as they call themselves, where that is not the English name; and common short names.
_COUNTRIES = listed(
    "america|brasil|brunei|czechia|danmark|deutschland|england|españa|great britain|hellas|italia"
    "|korea|méxico|nederland|norge|polska|russia|schweiz|scotland|south korea|suisse|suomi|sverige"
    "|taiwan|tanzania|turkey|türkiye|u s a|uae|uk|united kingdom|united states|us|usa|vietnam"
    "|việt nam|wales|österreich|россия|україна|中国|中國|日本|台灣|台湾|香港|한국|대한민국|ไทย"
    "|भारत",
    "|",
)
_ROWS = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertz",
    "azertyuiop",
    "qsdfghjklm",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
)
_LEAST_RUN = 4
# These begin a row, so three letters of them are enough.
_RUN_STARTS = ("qwe", "asd", "zxc", "йцу", "фыв", "qaz", "wsx")


def company_name(given: str, countries: frozenset[str] = frozenset()) -> str:
    """Return a company's name without its legal form, case, punctuation and width.

    Digits and accents stay, so that Shop 7 is not Shop 8. Empty for anything that is no name.
    Forms that only some countries know are cut where the lead points at one of these `countries`.
    """
    return name_and_form(given, countries)[0]


@lru_cache(maxsize=256)
def name_and_form(given: str, countries: frozenset[str] = frozenset()) -> tuple[str, str]:
    """Return a company's name as `company_name`, and its legal form in one spelling."""
    text = unicodedata.normalize("NFKC", given).casefold().strip()
    if not any(map(str.isalpha, text)) or _LEFT_OPEN.fullmatch(text) or _is_shared_domain(text):
        return "", ""
    text, form = _unspaced(text)
    words = _words(text)
    cut = 0
    if _INDONESIAN & set(words):
        countries |= {"ID"}
    leading = frozenset().union(*(_LEADING.get(one, ()) for one in (*countries, "")))
    while cut < len(words) - 1 and words[cut] in leading:
        cut += 1
    form = form or (words[0] if cut else "")
    rest = words[cut:]
    while size := _legal_form(rest):
        rest = rest[:-size]
    form = form or "-".join(filter(None, (_SYNONYMS.get(x, x) for x in words[cut + len(rest) :])))
    name = " ".join(rest)
    return ("", "") if _is_filler(rest) or _is_filler(words) else (name, form)


def joined(text: str) -> str:
    return " ".join(_words(unicodedata.normalize("NFKC", text).casefold()))


def _is_shared_domain(text: str) -> bool:
    """Tell whether it is a domain that no company has for itself: gmail.com."""
    return "." in text and " " not in text and not company_domain(text)


def _unspaced(text: str) -> tuple[str, str]:
    """Return a name without a form that is written without a space, and that form."""
    for form in _UNSPACED:
        shorter = text.removeprefix(form).removesuffix(form).strip()
        if shorter and shorter != text:
            return _unspaced(shorter)[0], form
    return text, ""


def _is_filler(words: tuple[str, ...]) -> bool:
    """Tell whether words name no company: too few letters, what people type, or a place alone."""
    name = " ".join(words)
    letters = [c for c in name if c.isalnum()]
    if len(set(letters)) < 2 or not any(map(str.isalpha, letters)):
        return True
    return name in _places() or "".join(words) in SHARED_BRANDS or all(map(_is_noise, words))


def _is_noise(word: str) -> bool:
    """Tell whether a word names nothing: a filler, a number, one letter again and again, keys."""
    word = word.rstrip("0123456789") or "0"
    if word in _FILLERS or len(set(word)) == 1:
        return True
    # asdasd, asdfas, testtest: the shortest unit that the word repeats.
    size = next(n for n in range(1, len(word) + 1) if (word[:n] * len(word)).startswith(word))
    unit, whole = word[:size], len(word) % size == 0
    if unit in _RUN_STARTS or (whole and size > 1 and unit in _FILLERS):
        return True
    runs = (row for one in _ROWS for row in (one, one[::-1]))
    return size >= _LEAST_RUN and any(unit in row for row in runs)


@lru_cache(maxsize=1)
def _places() -> frozenset[str]:
    """Return the names of countries, and of the cities that time zones are called after."""
    countries = (name for one in Currency for name in one.country_names)
    named = {joined(re.sub(r"\(.*?\)", "", name)) for name in countries}
    # 30 ms: the zones are read from files on first use.
    cities = {joined(zone.rpartition("/")[2].replace("_", " ")) for zone in available_timezones()}
    return frozenset(named | cities | _COUNTRIES)


def _words(text: str) -> tuple[str, ...]:
    """Return a text's words: dots and apostrophes join (S.A. is SA), other signs separate."""
    joined = re.sub(r"[.'’`´·]", "", text.replace("&", " and ").replace("+", " and "))
    return tuple("".join(_kept(joined)).split())


def _kept(text: str) -> Iterator[str]:
    for letter in text:
        kind = unicodedata.category(letter)
        # Letters, marks and numbers: in many scripts a vowel is a mark. Format letters are unseen.
        if kind[0] in "LMN":
            yield letter
        elif kind != "Cf":
            yield " "


def _legal_form(words: tuple[str, ...]) -> int:
    """Return how many last words are the legal form; at least one word stays as the name."""
    forms = _forms()
    most = max(map(len, forms))
    for size in range(min(most, len(words) - 1), 0, -1):
        if words[-size:] in forms:
            return size
    # "GmbH & Co. KG" and "& Co." leave an "and" once their last words are removed.
    return 1 if len(words) > 1 and words[-1] == "and" else 0


@lru_cache(maxsize=1)
def _forms() -> frozenset[tuple[str, ...]]:
    listed = [*terms_by_type.values(), *terms_by_country.values(), _MORE]
    written = (_words(unicodedata.normalize("NFKC", t).casefold()) for ts in listed for t in ts)
    return frozenset(filter(_is_form, written))


def _is_form(form: tuple[str, ...]) -> bool:
    """Tell whether words are a legal form wherever they end a name."""
    text = "".join(form)
    return text in _SHORT or (len(text) > 3 and text not in _NO_FORMS)
