"""What a systems file names only: addresses and keys, from the environment or from the file that NAME_FILE names."""

from django.utils.translation import gettext as _

from dsr import environment
from dsr.connectors import SystemRefused


def given(name: str, *, system: str = "") -> str:
    """The variable's value, "" when it is not set. Read anew each time: a changed secret needs no restart.

    Raises SystemRefused when its file cannot be read or is empty.
    """
    try:
        return environment.secret(name)
    except environment.WrongSetting as error:
        hint = _("Look at the secret's file and who may read it, then try again.")
        raise SystemRefused(str(error), hint, system=system) from None
