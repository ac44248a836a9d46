"""The questions, one form a page. Each answer is checked here, in words that say what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dsr import lifecycle, policy
from dsr.models import Relation
from dsr.portal.places import PLACES
from dsr.portal.start import serves_customers

MAX_RECEIPTS = 50
SHORTEST_RECEIPT, LONGEST_RECEIPT = 8, 256
LONGEST_MESSAGE = 4000


@dataclass(frozen=True)
class Problem:
    """One line of the summary: what to do, and the field it leads to."""

    field_id: str
    sentence: str


class Question(forms.Form):
    """One page of questions."""

    use_required_attribute = False  # the page answers with a summary; a browser's bubble cannot be styled or translated

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def problems(self) -> list[Problem]:
        """For the summary on top, in the order of the fields."""
        found = []
        for bound in self:
            anchor = bound.auto_id + ("_0" if bound.use_fieldset else "")
            found += [Problem(anchor, str(sentence)) for sentence in bound.errors]
        return found


class Hinted:
    """Options with a sentence below each; mixed into a widget."""

    def __init__(self, *args: Any, hints: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hints = hints or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The option, bound to its hint for screen readers."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)  # type: ignore[misc]
        hint = self.hints.get(str(value))
        if hint:
            option["hint"] = hint
            option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_hint"
        return option


class HintedRadios(Hinted, forms.RadioSelect):
    """One of several."""


class HintedBoxes(Hinted, forms.CheckboxSelectMultiple):
    """Any of several."""


class Whose(Question):
    """Whose data is this about?"""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose = _("Say whose data this is about: choose the one that fits best.")
        options = relations(policy.current().organisation.short)
        self.fields["relation"] = forms.ChoiceField(
            label=_("Whose data is this about?"),
            help_text=_("So that we ask for the right proof, and never for more."),
            choices=[(relation, label) for relation, label, _hint in options],
            widget=HintedRadios(hints={relation: hint for relation, _label, hint in options}),
            error_messages={"required": choose, "invalid_choice": choose},
        )


def relations(name: str) -> list[tuple[str, Any, Any]]:
    """Who somebody may be to the data: value, label, hint."""
    found: list[tuple[str, Any, Any]] = [
        (Relation.SELF, _("Me"), _("My own account or data.")),
        (Relation.CHILD, _("My child"), _("You are a parent or guardian.")),
        (
            Relation.AGENT,
            _("Somebody who asked me to act for them"),
            _("We ask for their written permission, and check with them."),
        ),
        (
            Relation.CUSTOMERS_USER,
            _("Me, as a user of a product built with %(name)s") % {"name": name},
            _("Its maker decides. We tell you who that is and pass your request on."),
        ),
        (
            Relation.MENTIONED,
            _("Me, and I have never used %(name)s") % {"name": name},
            _("You think that you appear in somebody else’s data."),
        ),
    ]
    return [entry for entry in found if entry[0] != Relation.CUSTOMERS_USER or serves_customers()]


class Way(Question):
    """How can we find your data?"""

    way = forms.ChoiceField(
        label=_("How can we find your data?"),
        choices=[("code", _("By my e-mail address")), ("receipt", _("By privacy receipts, without an address"))],
        widget=HintedRadios,
        error_messages={"required": _("Choose one of the two ways.")},
    )


class Address(Question):
    """Your e-mail address."""

    email = forms.EmailField(
        label=_("Your e-mail address"),
        help_text=_("The one that we would know you by. We mail a code to it to be sure that it is you."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address such as name@example.com."),
        },
    )


class Receipts(Question):
    """Your privacy receipts."""

    receipts = forms.CharField(
        label=_("Your privacy receipts"),
        help_text=_(
            "One on each line, at most 50. A receipt came with each answer; whoever holds it can have its data."
        ),
        widget=forms.Textarea(
            attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
        error_messages={"required": _("Enter at least one privacy receipt.")},
    )

    def clean_receipts(self) -> list[str]:
        """The receipts, each once, in the order given."""
        lines = [line.strip() for line in self.cleaned_data["receipts"].splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if len(found) > MAX_RECEIPTS:
            raise ValidationError(_("That is more than 50. Send the first 50 now, and the rest as another request."))
        for number, receipt in enumerate(found, start=1):
            is_whole = SHORTEST_RECEIPT <= len(receipt) <= LONGEST_RECEIPT
            if not is_whole or not receipt.isprintable() or " " in receipt:
                raise ValidationError(
                    _("Receipt %(number)s is not a receipt. Copy it whole, without spaces.") % {"number": number}
                )
        return found


class Greeting(Question):
    """What helps to write back."""

    name = forms.CharField(
        label=_("Your name (optional)"),
        help_text=_("Only for the greeting."),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    country = forms.ChoiceField(
        label=_("Where you live (optional)"),
        help_text=_("So that we can name the authority you can complain to. Your rights are the same everywhere."),
        choices=[("", _("I would rather not say")), *PLACES],
        required=False,
    )

    def clean_name(self) -> str:
        """The name, on one line."""
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError(_("Write your name on one line."))
        return name


FORMATS = {"csv": _("As tables (CSV)"), "jsonl": _("As JSON Lines")}
FORMAT_HINTS = {
    "csv": _("They open in any spreadsheet. Good for looking."),
    "jsonl": _("Exact to the last character. Good for other programs."),
}


class Details(Greeting):
    """Which data?"""

    since = forms.DateField(
        label=_("From (optional)"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter the first day like this: 2026-03-27.")},
    )
    until = forms.DateField(
        label=_("Until (optional)"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter the last day like this: 2026-03-27.")},
    )

    field_order = ("categories", "since", "until", "format", "name", "country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        held = policy.current().categories
        self.fields["categories"] = forms.MultipleChoiceField(
            label=_("Only some kinds of data? (optional)"),
            help_text=_("Choose none to get everything."),
            required=False,
            choices=[(category.id, category.title.text(language)) for category in held],
            widget=HintedBoxes(hints={category.id: category.sentence.text(language) for category in held}),
            error_messages={"invalid_choice": _("Choose among the kinds of data listed.")},
        )
        self.fields["format"] = forms.ChoiceField(
            label=_("How should the files be written?"),
            choices=list(FORMATS.items()),
            widget=HintedRadios(hints=FORMAT_HINTS),
            error_messages={"required": _("Choose how the files should be written.")},
        )
        self.order_fields(self.field_order)

    def clean_since(self) -> Any:
        """The first day: not in the future."""
        since = self.cleaned_data["since"]
        if since and since > timezone.localdate(timezone=lifecycle.zone()):
            raise ValidationError(_("The first day is in the future. Choose an earlier one."))
        return since

    def clean(self) -> dict[str, Any]:
        """The two days in order."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first one. Change one of them."))
        return values


class Message(Greeting):
    """What should the person who looks at it know?"""

    message = forms.CharField(
        label=_("What should we know?"),
        help_text=_("Whose data it is, and how we can find it. Please send no identity document."),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Say in a few words whose data it is, and how we can find it.")},
    )

    field_order = ("message", "name", "country")


class Code(forms.Form):
    """A mailed code, as typed."""

    code = forms.CharField(max_length=64)
