import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calls.numbers import Direction, Number, NumberKind, normalise, pretty

K = NumberKind

# raw, canonical text, kind
READ = [
    # whole Polish numbers in every notation
    ("501234567", "+48501234567", K.MOBILE_PL),
    ("+48501234567", "+48501234567", K.MOBILE_PL),
    ("48501234567", "+48501234567", K.MOBILE_PL),
    ("0048501234567", "+48501234567", K.MOBILE_PL),
    ("0501234567", "+48501234567", K.MOBILE_PL),
    (" 501 234 567 ", "+48501234567", K.MOBILE_PL),
    ("501-234-567", "+48501234567", K.MOBILE_PL),
    ("(22) 123-45-67", "+48221234567", K.LANDLINE_PL),
    ("22\u00a0123\u00a045\u00a067", "+48221234567", K.LANDLINE_PL),
    ("\u202a+48 22 123 45 67\u202c", "+48221234567", K.LANDLINE_PL),
    ("501\u2011234\u2011567", "+48501234567", K.MOBILE_PL),
    # the traps of a general library
    ("0221234567", "+48221234567", K.LANDLINE_PL),
    ("0800123456", "+48800123456", K.TOLL_FREE_PL),
    ("+48 (0) 22 123 45 67", "+48221234567", K.LANDLINE_PL),
    ("+48 0 22 123 45 67", "+48221234567", K.LANDLINE_PL),
    ("00221234567", "+221234567", K.INTERNATIONAL),
    ("483611234", "+48483611234", K.LANDLINE_PL),
    ("48483611234", "+48483611234", K.LANDLINE_PL),
    ("4850123456", "4850123456", K.UNKNOWN),
    ("22 123 45 67 wew. 12", "+48221234567", K.LANDLINE_PL),
    ("22 123 45 67 wewnętrzny 12", "+48221234567", K.LANDLINE_PL),
    ("221234567wew12", "+48221234567", K.LANDLINE_PL),
    ("22 123 45 67 ext. 12", "+48221234567", K.LANDLINE_PL),
    # classes of Polish ranges
    ("261234567", "+48261234567", K.LANDLINE_PL),
    ("471234567", "+48471234567", K.LANDLINE_PL),
    ("521234567", "+48521234567", K.LANDLINE_PL),
    ("391234567", "+48391234567", K.VOIP_PL),
    ("881234567", "+48881234567", K.MOBILE_PL),
    ("700123456", "+48700123456", K.PREMIUM_PL),
    ("701123456", "+48701123456", K.PREMIUM_PL),
    ("800123456", "+48800123456", K.TOLL_FREE_PL),
    ("8001234567", "+488001234567", K.TOLL_FREE_PL),
    ("+488001234567", "+488001234567", K.TOLL_FREE_PL),
    ("801123456", "+48801123456", K.SHARED_COST_PL),
    ("804123456", "+48804123456", K.SHARED_COST_PL),
    ("641234567", "+48641234567", K.OTHER_PL),
    ("201234567", "+48201234567", K.OTHER_PL),
    ("211123456", "+48211123456", K.OTHER_PL),
    ("301234567", "+48301234567", K.OTHER_PL),
    ("48999999999", "+48999999999", K.UNKNOWN),
    ("+48101234567", "+48101234567", K.UNKNOWN),
    # short numbers, also where an operator has put +48 before them
    ("112", "112", K.EMERGENCY),
    ("997", "997", K.EMERGENCY),
    ("+48112", "112", K.EMERGENCY),
    ("0048997", "997", K.EMERGENCY),
    ("981", "981", K.INTERNAL),
    ("19491", "19491", K.AUS_19),
    ("22 19491", "2219491", K.AUS_19),
    ("+48 22 19491", "2219491", K.AUS_19),
    ("5019491", "5019491", K.UNKNOWN),
    ("116111", "116111", K.HARMONISED_116),
    ("116 111", "116111", K.HARMONISED_116),
    ("118913", "118913", K.DIRECTORY_118),
    ("115123", "115123", K.SHORT_OTHER),
    # inside the PBX
    ("101", "101", K.INTERNAL),
    ("1001", "1001", K.INTERNAL),
    ("2001", "2001", K.INTERNAL),
    ("16123", "16123", K.INTERNAL),
    ("007", "007", K.INTERNAL),
    ("*97", "*97", K.FEATURE_CODE),
    ("*43", "*43", K.FEATURE_CODE),
    ("**101", "**101", K.FEATURE_CODE),
    ("*21*501234567#", "*21*501234567#", K.FEATURE_CODE),
    ("*31112", "*31112", K.FEATURE_CODE),
    # codes that show or hide the caller
    ("*3148611000008", "+48611000008", K.LANDLINE_PL),
    ("#31#501234567", "+48501234567", K.MOBILE_PL),
    ("#31#+4930123456", "+4930123456", K.INTERNATIONAL),
    ("*31*501234567", "*31*501234567", K.FEATURE_CODE),
    ("50*31501234567", "50*31501234567", K.FEATURE_CODE),
    # abroad
    ("+12125550123", "+12125550123", K.INTERNATIONAL),
    ("+18095550123", "+18095550123", K.INTERNATIONAL),
    ("+441534456789", "+441534456789", K.INTERNATIONAL),
    ("+38328200500", "+38328200500", K.INTERNATIONAL),
    ("004930231255500", "+4930231255500", K.INTERNATIONAL),
    ("+44 (0)20 7946 0123", "+442079460123", K.INTERNATIONAL),
    ("+881612345678", "+881612345678", K.INTERNATIONAL),
    ("+80012345678", "+80012345678", K.INTERNATIONAL),
    # URIs
    ("sip:+48221234567@sip.operator.example", "+48221234567", K.LANDLINE_PL),
    ("SIP:101@firma.example:5060;transport=udp", "101", K.INTERNAL),
    ("sips:48501234567:secret@firma.example", "+48501234567", K.MOBILE_PL),
    ("tel:+48-501-234-567;ext=12", "+48501234567", K.MOBILE_PL),
    ("sip:200", "200", K.INTERNAL),
    ("sip:jan.kowalski@firma.example", "jan.kowalski", K.UNKNOWN),
    ("sip:anonymous@anonymous.invalid", "", K.UNKNOWN),
    # no number, or none that can be read
    ("", "", K.UNKNOWN),
    ("   ", "", K.UNKNOWN),
    ("anonymous", "", K.UNKNOWN),
    ("Anonymous", "", K.UNKNOWN),
    ("<unknown>", "", K.UNKNOWN),
    ("jan.kowalski", "jan.kowalski", K.UNKNOWN),
    ("jan.wewel", "jan.wewel", K.UNKNOWN),
    ("did-48999999999", "did-48999999999", K.UNKNOWN),
    ("s", "s", K.UNKNOWN),
    ("11", "11", K.UNKNOWN),
    ("0000000000", "0000000000", K.UNKNOWN),
    ("012345678", "012345678", K.UNKNOWN),
    ("48012345678", "48012345678", K.UNKNOWN),
    ("+101", "+101", K.UNKNOWN),
    ("+48101", "+48101", K.UNKNOWN),
    ("+480048112", "+480048112", K.UNKNOWN),
    ("+4822123456", "+4822123456", K.UNKNOWN),
    ("+0221234567", "+0221234567", K.UNKNOWN),
    ("+123456", "+123456", K.UNKNOWN),
    ("+" + "4" * 15, "+" + "4" * 15, K.INTERNATIONAL),
    ("+" + "4" * 16, "+" + "4" * 16, K.UNKNOWN),
    ("1" * 60, "1" * 60, K.UNKNOWN),
    ("1" * 100, "1" * 64, K.UNKNOWN),
    ("a" * 63 + " b", "a" * 63, K.UNKNOWN),
    ("١٠١", "١٠١", K.UNKNOWN),
    ("50\x001234567", "+48501234567", K.MOBILE_PL),
]

SPACES = [
    ("501234567", "e164", "48501234567"),
    ("+4930123456", "e164", "4930123456"),
    ("48999999999", "e164", "48999999999"),
    ("112", "short", "112"),
    ("998", "short", "998"),
    ("19491", "short", "19491"),
    ("22 19491", "short", "19491"),
    ("118913", "short", "118913"),
    ("115123", "short", "115123"),
    ("101", "", ""),
    ("*43", "", ""),
    ("anonymous", "", ""),
    ("jan.kowalski", "", ""),
    ("+48101", "", ""),
    ("4850123456", "", ""),
]

national_numbers = st.from_regex(r"[1-9][0-9]{8}", fullmatch=True)


def type_in(region_code: str, e164: str) -> str:
    number = phonenumbers.parse(e164, region_code)
    return phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))


def every_example_number() -> list[str]:
    """A valid number of every region outside Poland and every type the library knows."""
    found = (
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"PL"})
        for kind in phonenumbers.PhoneNumberType.values()
    )
    e164 = phonenumbers.PhoneNumberFormat.E164
    return sorted({phonenumbers.format_number(number, e164) for number in found if number})


@pytest.mark.parametrize(("raw", "text", "kind"), READ)
def test_a_number_is_read_as_a_pole_reads_it(raw: str, text: str, kind: NumberKind) -> None:
    assert normalise(raw) == Number(text, kind)


def test_all_numbers_of_the_emergency_list_are_emergency_and_nothing_else_is() -> None:
    listed = "112 984 985 986 987 989 991 992 993 994 995 996 997 998 999"
    found = [str(n) for n in range(100, 1000) if normalise(str(n)).kind is K.EMERGENCY]
    assert found == listed.split()


@pytest.mark.parametrize("third", range(10))
def test_all_of_70x_is_premium_also_where_the_library_knows_no_such_number(third: int) -> None:
    assert normalise(f"70{third}123456").kind is K.PREMIUM_PL
    library = type_in("PL", f"+4870{third}123456")
    assert library == ("UNKNOWN" if third in (2, 5, 9) else "PREMIUM_RATE")


@pytest.mark.parametrize(
    ("prefix", "library", "ours"),
    [
        ("800", "TOLL_FREE", K.TOLL_FREE_PL),
        ("801", "SHARED_COST", K.SHARED_COST_PL),
        ("802", "UNKNOWN", K.OTHER_PL),
        ("803", "UNKNOWN", K.OTHER_PL),
        ("804", "UAN", K.SHARED_COST_PL),
        ("805", "UNKNOWN", K.OTHER_PL),
        ("806", "UNKNOWN", K.UNIVERSAL_PL),
        ("807", "UNKNOWN", K.OTHER_PL),
        ("808", "UNKNOWN", K.UNIVERSAL_PL),
        ("809", "UNKNOWN", K.OTHER_PL),
        ("211", "MOBILE", K.OTHER_PL),
        ("641", "PAGER", K.OTHER_PL),
        ("391", "VOIP", K.VOIP_PL),
    ],
)
def test_where_the_library_differs_about_special_ranges(
    prefix: str, library: str, ours: NumberKind
) -> None:
    assert type_in("PL", f"+48{prefix}123456") == library
    assert normalise(f"{prefix}123456").kind is ours


def test_fixed_and_mobile_numbers_are_what_the_library_says() -> None:
    expected = {"FIXED_LINE": K.LANDLINE_PL, "MOBILE": K.MOBILE_PL}
    differ = {
        prefix
        for prefix in range(100, 1000)
        for tail in ("000000", "123456", "999999")
        if (library := type_in("PL", f"+48{prefix}{tail}")) in expected
        and normalise(f"{prefix}{tail}").kind is not expected[library]
    }
    # The library's own idea of a mobile range; no plan gives 21x to mobile phones.
    assert differ == {211, 212, 213}


def test_fixed_and_mobile_numbers_are_known_to_the_library() -> None:
    ours = {K.LANDLINE_PL, K.MOBILE_PL, K.VOIP_PL}
    unknown = [
        prefix
        for prefix in range(100, 1000)
        if normalise(f"{prefix}123456").kind in ours
        and type_in("PL", f"+48{prefix}123456") == "UNKNOWN"
    ]
    assert unknown == []


def test_valid_numbers_of_all_other_countries_are_international() -> None:
    examples = every_example_number()
    differ = [e for e in examples if normalise(e) != Number(e, K.INTERNATIONAL)]
    assert len(examples) > 500
    # Six digits in all: an Iranian short form that nobody can dial from abroad.
    assert differ == ["+989601"]


@pytest.mark.parametrize(("raw", "space", "digits"), SPACES)
def test_a_number_belongs_to_one_space_of_prefixes(raw: str, space: str, digits: str) -> None:
    number = normalise(raw)
    assert (number.space, number.digits, number.is_e164) == (space, digits, space == "e164")


def test_every_kind_has_the_direction_that_people_filter_by() -> None:
    assert {kind: Number("", kind).direction for kind in NumberKind} == {
        K.INTERNAL: Direction.INTERNAL,
        K.FEATURE_CODE: Direction.INTERNAL,
        K.EMERGENCY: Direction.EMERGENCY,
        K.LANDLINE_PL: Direction.DOMESTIC,
        K.VOIP_PL: Direction.DOMESTIC,
        K.MOBILE_PL: Direction.MOBILE,
        K.INTERNATIONAL: Direction.INTERNATIONAL,
        K.PREMIUM_PL: Direction.SPECIAL,
        K.SHARED_COST_PL: Direction.SPECIAL,
        K.TOLL_FREE_PL: Direction.SPECIAL,
        K.UNIVERSAL_PL: Direction.SPECIAL,
        K.HARMONISED_116: Direction.SPECIAL,
        K.DIRECTORY_118: Direction.SPECIAL,
        K.AUS_19: Direction.SPECIAL,
        K.SHORT_OTHER: Direction.SPECIAL,
        K.OTHER_PL: Direction.SPECIAL,
        K.UNKNOWN: Direction.UNKNOWN,
    }


@given(
    st.text()
    | st.text("0123456789+*#() -.", max_size=20)
    | st.from_regex(r"(sip:|tel:)?[+*#0-9a-z]{0,20}[@;:]?[0-9a-z.]{0,9}( wew\. ?[0-9]+)?")
)
@example("sip:sip:112")
@example("\ud800\x00")
@example("*31" + "0" * 64)
def test_reading_never_fails_and_reading_the_result_changes_nothing(raw: str) -> None:
    number = normalise(raw)
    assert normalise(number.text) == number
    assert len(number.text) <= 64
    assert number.text.encode().decode() == number.text


@given(national_numbers, st.sampled_from(["{}", "0{}", "48{}", "+48{}", "0048{}", "+48 (0){}"]))
def test_all_notations_of_a_polish_number_are_one_number(national: str, notation: str) -> None:
    assert normalise(notation.format(national)).text == f"+48{national}"


def test_the_country_code_is_split_off_where_the_library_splits_it() -> None:
    differ = [
        e164
        for e164 in every_example_number()
        if normalise(e164).is_e164
        and not pretty(e164).startswith(f"+{phonenumbers.parse(e164).country_code} ")
    ]
    assert differ == []
