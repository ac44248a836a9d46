"""The worked examples of every rule, and what holds for all dates."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsr.policy.days import Calendar
from dsr.policy.deadlines import RULES, Due, Question, UnknownRule, due, received_on
from dsr.policy.rules import Kind
from dsr.policy.text import Period

THIRTY_DAYS = Period.parse("30 days")
LEGAL = [name for name, rule in RULES.items() if not rule.as_promised]
BERLIN = ZoneInfo("Europe/Berlin")
KINDS: tuple[Kind, ...] = ("identity", "clarification", "fee")
Case = tuple[str, date, tuple[str, str], list[Question]]


def test_uk_rolls_from_a_saturday_to_monday() -> None:
    found = due("uk-gdpr", date(2026, 9, 3), country="GB", subdivision="ENG")
    assert found.due_on == date(2026, 10, 5)
    assert found.steps == (
        "Received on Thursday, 3 September 2026.",
        "UK GDPR Art. 12A gives 1 month, counted from Thursday, 3 September 2026: Saturday, 3 October 2026.",
        "That is a Saturday, so it moves to the next working day, Monday, 5 October 2026.",
        "It can be extended once, with reasons, told by Friday, 2 October 2026: then to Thursday, 3 December 2026.",
        "Due on Monday, 5 October 2026.",
    )


@pytest.mark.parametrize(
    ("received", "due_on"),
    [(date(2028, 1, 31), date(2028, 2, 29)), (date(2026, 3, 31), date(2026, 4, 30))],
)
def test_gdpr_month_without_that_day_ends_on_its_last(received: date, due_on: date) -> None:
    assert due("gdpr", received).due_on == due_on


def test_gdpr_extension_is_counted_from_the_original_start() -> None:
    found = due("gdpr", date(2026, 1, 31), extended=True)
    assert found.due_on == date(2026, 4, 30)
    assert found.due_on != date(2026, 4, 28)  # what two months after the first due date would give
    assert found.notice_by == date(2026, 2, 27)
    assert found.latest_on == found.due_on
    assert due("gdpr", date(2026, 1, 31)).latest_on == date(2026, 4, 30)


def test_ccpa_is_not_paused_by_identity() -> None:
    asked = Question("identity", date(2026, 3, 4), date(2026, 3, 20))
    found = due("ccpa", date(2026, 3, 2), country="US", subdivision="CA", questions=[asked])
    assert found.due_on == date(2026, 4, 16)
    assert found.acknowledge_by == date(2026, 3, 16)
    assert found.latest_on == date(2026, 5, 31)
    assert found.internal_on == date(2026, 4, 15)
    assert found.notice_by == date(2026, 4, 16)
    assert found.paused_since is None


def test_ccpa_opt_out_has_fifteen_working_days_and_takes_effect_at_once() -> None:
    found = due("ccpa-optout", date(2026, 3, 2), country="US", subdivision="CA", extended=True)
    assert found.due_on == date(2026, 3, 23)
    assert found.latest_on is None
    assert "The opt-out itself takes effect at once, without any check of identity." in found.steps
    assert "This rule knows no extension." in found.steps


def test_kvkk_is_thirty_days_and_stays_on_a_day_off() -> None:
    assert due("kvkk", date(2026, 3, 2), country="TR").due_on == date(2026, 4, 1)
    assert due("kvkk", date(2026, 9, 29), country="TR").due_on == date(2026, 10, 29)  # Republic Day


def test_lgpd_is_fifteen_days() -> None:
    found = due("lgpd", date(2026, 3, 2), country="BR")
    assert found.due_on == date(2026, 3, 17)
    assert any("simplified form is given at once" in step for step in found.steps)


def test_pipeda_is_thirty_days_and_thirty_more() -> None:
    found = due("pipeda", date(2026, 3, 2), country="CA", subdivision="ON")
    assert (found.due_on, found.notice_by, found.latest_on) == (date(2026, 4, 1), date(2026, 4, 1), date(2026, 5, 1))


def test_uk_complaint_is_acknowledged_in_thirty_days_counted_from_the_day_after() -> None:
    found = due("uk-complaint", date(2026, 7, 2), country="GB", subdivision="ENG")
    assert found.acknowledge_by == found.due_on == date(2026, 8, 3)  # 1 August is a Saturday
    assert found.internal_on == date(2026, 7, 31)
    assert any("without undue delay" in step for step in found.steps)


def test_a_rule_not_yet_in_force_says_so() -> None:
    found = due("uk-complaint", date(2026, 6, 1))
    assert "This rule is in force since Friday, 19 June 2026 and is applied all the same." in found.steps


def test_gdpr_late_clarification_does_not_pause() -> None:
    received = date(2026, 3, 2)
    asked = Question("clarification", received + timedelta(days=25), received + timedelta(days=30))
    found = due("gdpr", received, questions=[asked])
    assert found.due_on == due("gdpr", received).due_on == date(2026, 4, 2)
    assert any("not prompt (later than Monday, 9 March 2026)" in step for step in found.steps)


@pytest.mark.parametrize(
    ("asked", "paused_days"),
    [(date(2026, 3, 9), 3), (date(2026, 3, 10), 0)],  # the fifth and the sixth working day
)
def test_gdpr_prompt_means_five_working_days(asked: date, paused_days: int) -> None:
    question = Question("identity", asked, asked + timedelta(days=2))
    assert due("gdpr", date(2026, 3, 2), questions=[question]).due_on == date(2026, 4, 2 + paused_days) + (
        timedelta(days=1) if paused_days else timedelta()  # 5 April is a Sunday
    )


def test_gdpr_pause_moves_the_raw_date_then_rolls() -> None:
    asked = Question("clarification", date(2026, 3, 4), date(2026, 3, 6))
    found = due("gdpr", date(2026, 3, 2), country="DE", subdivision="BE", questions=[asked])
    assert found.due_on == date(2026, 4, 7)  # 2 + 3 = Easter Sunday, then Easter Monday
    assert "With the 3 days that do not count: Sunday, 5 April 2026." in found.steps
    assert found.notice_by == date(2026, 4, 2)  # back over the Sunday, the Saturday and Good Friday


def test_overlapping_questions_pause_each_day_once() -> None:
    questions = [
        Question("clarification", date(2026, 3, 4), date(2026, 3, 10)),
        Question("identity", date(2026, 3, 6), date(2026, 3, 12)),
    ]
    assert due("gdpr", date(2026, 3, 2), questions=questions).due_on == date(2026, 4, 13)  # 2 + 9 days, a Saturday


def test_uk_clock_starts_with_identity_and_fee() -> None:
    received = date(2026, 3, 2)
    identity = Question("identity", date(2026, 3, 4), date(2026, 3, 20))
    fee = Question("fee", date(2026, 3, 4), date(2026, 3, 24))
    assert due("uk-gdpr", received, questions=[identity]).due_on == date(2026, 4, 20)
    assert due("uk-gdpr", received, questions=[identity, fee]).due_on == date(2026, 4, 24)
    assert due("uk-gdpr", received, questions=[fee, identity], extended=True).due_on == date(2026, 6, 24)


def test_uk_clarification_pauses_however_late_but_not_after_the_due_date() -> None:
    received = date(2026, 3, 2)
    late = Question("clarification", date(2026, 3, 30), date(2026, 4, 3))
    assert due("uk-gdpr", received, questions=[late]).due_on == date(2026, 4, 7)
    too_late = Question("clarification", date(2026, 4, 3), date(2026, 4, 9))
    found = due("uk-gdpr", received, questions=[too_late])
    assert found.due_on == date(2026, 4, 2)
    assert any("already due then" in step for step in found.steps)
    # with the extension it was not due yet
    assert due("uk-gdpr", received, questions=[too_late], extended=True).due_on == date(2026, 6, 9)


def test_days_before_the_clock_starts_do_not_pause_it() -> None:
    questions = [
        Question("identity", date(2026, 3, 4), date(2026, 3, 20)),
        Question("clarification", date(2026, 3, 19), date(2026, 3, 25)),
    ]
    found = due("uk-gdpr", date(2026, 3, 2), questions=questions)
    assert "With the 6 days that do not count: Sunday, 26 April 2026." in found.steps
    assert found.due_on == date(2026, 4, 27)


def test_an_open_question_holds_the_clock_and_says_so() -> None:
    asked = Question("clarification", date(2026, 3, 4))
    found = due("gdpr", date(2026, 3, 2), questions=[asked])
    assert found.paused_since == date(2026, 3, 4)
    assert found.due_on == date(2026, 4, 2)
    assert any("stands still until the answer comes" in step for step in found.steps)
    assert due("kvkk", date(2026, 3, 2), questions=[asked]).paused_since is None


def test_while_one_question_is_open_another_is_never_too_late() -> None:
    questions = [
        Question("clarification", date(2026, 3, 4)),
        Question("clarification", date(2026, 5, 4), date(2026, 5, 6)),
    ]
    assert due("uk-gdpr", date(2026, 3, 2), questions=questions[1:]).due_on == date(2026, 4, 2)
    assert due("uk-gdpr", date(2026, 3, 2), questions=questions).due_on == date(2026, 4, 6)  # 2 + 3, a Sunday


def test_questions_count_in_the_order_they_were_asked() -> None:
    identity = Question("identity", date(2026, 3, 4), date(2026, 3, 20))
    after_the_first_date = Question("clarification", date(2026, 4, 6), date(2026, 4, 8))
    for questions in ([identity, after_the_first_date], [after_the_first_date, identity]):
        assert due("uk-gdpr", date(2026, 3, 2), questions=questions).due_on == date(2026, 4, 23)


def test_a_later_start_does_not_end_the_month_sooner() -> None:
    clarification = Question("clarification", date(2026, 1, 30), date(2026, 2, 5))
    identity = Question("identity", date(2026, 1, 30), date(2026, 1, 31))
    alone = due("uk-gdpr", date(2026, 1, 30), questions=[clarification])
    assert alone.due_on == date(2026, 3, 9)  # 28 February + 7 days, a Saturday
    assert due("uk-gdpr", date(2026, 1, 30), questions=[clarification, identity]).due_on == alone.due_on


def test_two_rules_give_two_clocks_and_the_earlier_comes_first() -> None:
    clocks = [due(rule, date(2026, 3, 2), country="US", subdivision="CA") for rule in ("ccpa", "gdpr")]
    assert [(clock.rule, clock.due_on) for clock in sorted(clocks, key=lambda clock: clock.due_on)] == [
        ("gdpr", date(2026, 4, 2)),
        ("ccpa", date(2026, 4, 16)),
    ]


def test_an_instant_without_a_named_zone_counts_in_its_own() -> None:
    after_midnight = datetime(2026, 3, 2, 0, 30, tzinfo=BERLIN)  # the 1st in UTC
    assert due("kvkk", after_midnight) == due("kvkk", date(2026, 3, 2))


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_night_the_clocks_change_counts_by_date(night: date) -> None:
    last_minute = datetime.combine(night, time(23, 59), BERLIN)
    for received in (last_minute, last_minute.astimezone(UTC)):
        found = due("gdpr", received, timezone="Europe/Berlin", country="DE")
        assert found == due("gdpr", night, country="DE")
    promised = due("promise", last_minute, within=THIRTY_DAYS)
    assert promised.due_on == night + timedelta(days=30)


@pytest.mark.parametrize(
    ("received", "due_at"),
    [
        ((2026, 3, 28, 23, 59), (2026, 3, 31, 0, 59)),  # an hour is lost on the 29th
        ((2026, 10, 24, 23, 59), (2026, 10, 26, 22, 59)),  # an hour is gained on the 25th
    ],
)
def test_a_promise_in_hours_is_an_instant(received: tuple[int, ...], due_at: tuple[int, ...]) -> None:
    instant = datetime(*received, tzinfo=BERLIN)  # type: ignore[arg-type, misc]
    found = due("promise", instant, within=Period.parse("48 hours"))
    assert found.due_at == datetime(*due_at, tzinfo=BERLIN)  # type: ignore[arg-type, misc]
    assert found.due_at.astimezone(UTC) - instant.astimezone(UTC) == timedelta(hours=48)
    assert found.due_on == date(*due_at[:3])


def test_a_promise_in_hours_is_told_in_the_controllers_zone() -> None:
    found = due(
        "promise", datetime(2026, 7, 1, 22, 0, tzinfo=UTC), timezone="Europe/Berlin", within=Period.parse("48 hours")
    )
    assert found.due_on == date(2026, 7, 4)
    assert found.steps == (
        "Received on Thursday, 2 July 2026 at 00:00 (CEST).",
        "The privacy policy promises 48 hours, counted from that instant.",
        "Due on Saturday, 4 July 2026 at 00:00 (CEST).",
    )


@pytest.mark.parametrize(
    ("within", "due_on"),
    [("30 days", date(2026, 4, 1)), ("1 month", date(2026, 4, 2)), ("5 working days", date(2026, 3, 9))],
)
def test_a_promise_ends_as_written_and_nothing_pauses_it(within: str, due_on: date) -> None:
    asked = Question("clarification", date(2026, 3, 3), date(2026, 3, 20))
    found = due("promise", date(2026, 3, 2), within=Period.parse(within), questions=[asked])
    assert found.due_on == due_on
    assert any("does not change the date" in step for step in found.steps)


def test_facts_that_cannot_be_are_refused() -> None:
    day = date(2026, 3, 2)
    with pytest.raises(UnknownRule, match="No rule 'gdrp'"):
        due("gdrp", day)
    with pytest.raises(ValueError, match="needs `within`"):
        due("promise", day)
    with pytest.raises(ValueError, match="takes no `within`"):
        due("gdpr", day, within=THIRTY_DAYS)
    with pytest.raises(ValueError, match="counted from an instant"):
        due("promise", day, within=Period.parse("48 hours"))
    with pytest.raises(ValueError, match="without its zone"):
        due("gdpr", datetime(2026, 3, 2, 12, 0))
    with pytest.raises(ValueError, match="before the request"):
        due("gdpr", day, questions=[Question("identity", date(2026, 3, 1))])
    with pytest.raises(ValueError, match="cannot have been answered"):
        Question("identity", day, date(2026, 3, 1))


# What must always hold

days = st.dates(date(2018, 1, 1), date(2045, 12, 31))
places = st.sampled_from([("", ""), ("GB", "ENG"), ("DE", "BE"), ("US", "CA"), ("TR", ""), ("BR", ""), ("SA", "")])
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Apia", "Asia/Kathmandu"])


@st.composite
def questions_from(draw: st.DrawFn, first: date) -> list[Question]:
    """Up to four questions asked on or after this day, some of them open."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        asked = first + timedelta(days=draw(st.integers(0, 100)))
        answered = draw(st.none() | st.integers(0, 60).map(lambda n, asked=asked: asked + timedelta(days=n)))  # type: ignore[misc]
        found.append(Question(draw(st.sampled_from(KINDS)), asked, answered))
    return found


@st.composite
def cases(draw: st.DrawFn, rules: list[str]) -> Case:
    """A rule, a day of receipt, a place and the questions asked since."""
    received = draw(days)
    return draw(st.sampled_from(rules)), received, draw(places), draw(questions_from(received))


def reckon(rule: str, received: date, place: tuple[str, str], questions: list[Question], extended: bool = False) -> Due:
    return due(rule, received, country=place[0], subdivision=place[1], questions=questions, extended=extended)


@given(cases(LEGAL))
def test_an_extension_is_never_before_the_first_due_date(case: Case) -> None:
    plain, extended = reckon(*case), reckon(*case, extended=True)
    assert extended.due_on >= plain.due_on
    assert extended.latest_on == plain.latest_on
    if plain.latest_on is None:
        assert extended.due_on == plain.due_on
    else:
        assert extended.due_on == plain.latest_on


@given(cases(LEGAL), st.booleans())
def test_nothing_is_due_later_than_the_latest_day(case: Case, extended: bool) -> None:
    found = reckon(*case, extended=extended)
    assert found.latest_on is None or found.due_on <= found.latest_on
    assert found.internal_on is None or case[1] <= found.internal_on < found.due_on
    if found.notice_by:
        assert case[1] < found.notice_by <= reckon(*case).due_on


@given(cases(LEGAL), st.booleans(), st.data())
def test_another_question_never_shortens(case: Case, extended: bool, data: st.DataObject) -> None:
    rule, received, place, questions = case
    more = questions + data.draw(questions_from(received))
    assert reckon(rule, received, place, more, extended).due_on >= reckon(*case, extended).due_on


@given(cases(LEGAL), st.booleans(), st.data())
def test_a_later_receipt_is_never_due_earlier(case: Case, extended: bool, data: st.DataObject) -> None:
    rule, received, place, questions = case
    earlier = received - timedelta(days=data.draw(st.integers(0, 40)))
    assert reckon(rule, earlier, place, questions, extended).due_on <= reckon(*case, extended).due_on


@given(cases(LEGAL), st.booleans())
def test_the_day_is_a_working_day_where_the_rule_says_so(case: Case, extended: bool) -> None:
    found, calendar = reckon(*case, extended=extended), Calendar(*case[2])
    if RULES[case[0]].rolls:
        assert calendar.is_working_day(found.due_on)
        assert found.latest_on is None or calendar.is_working_day(found.latest_on)
        assert found.notice_by is None or calendar.is_working_day(found.notice_by)


@given(st.sampled_from(LEGAL), st.datetimes(datetime(2018, 1, 1), datetime(2045, 12, 31)), zones, zones)
def test_zones_and_clock_changes_change_nothing_but_the_day(rule: str, when: datetime, zone: str, told_in: str) -> None:
    instant = when.replace(tzinfo=ZoneInfo(told_in))
    assert due(rule, instant, timezone=zone) == due(rule, received_on(instant, zone))


@given(st.datetimes(datetime(2018, 1, 1), datetime(2045, 12, 31)), zones, st.integers(1, 240))
def test_hours_are_hours_in_every_zone(when: datetime, zone: str, hours: int) -> None:
    instant = when.replace(tzinfo=UTC)
    found = due("promise", instant, timezone=zone, within=Period(hours, "hour"))
    assert found.due_at is not None
    assert found.due_at.astimezone(UTC) - instant == timedelta(hours=hours)
    assert found.due_on == received_on(found.due_at, zone)


@given(cases(LEGAL), st.booleans())
def test_the_steps_begin_with_receipt_and_end_with_the_date(case: Case, extended: bool) -> None:
    found = reckon(*case, extended=extended)
    assert found.steps[0].startswith("Received on ")
    assert found.steps[-1] == f"Due on {found.due_on:%A}, {found.due_on.day} {found.due_on:%B} {found.due_on.year}."
    assert all(step.endswith((".", ")")) for step in found.steps)
