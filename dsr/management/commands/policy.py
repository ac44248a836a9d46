"""python manage.py policy check | schema: is the policy file right, what does it assume, what may stand in it."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from dsr import policy


class Command(BaseCommand):
    """Works while the files are wrong: it is what one runs then."""

    help = "Checks the policy and the systems file, or prints their JSON Schemas for editors."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two subcommands."""
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="say what is wrong with the files, or what they assume")
        check.add_argument("--policy", default="", help="a policy file or folder instead of DSR_POLICY")
        check.add_argument("--systems", default="", help="a systems file instead of DSR_SYSTEMS")
        schema = actions.add_parser("schema", help="print the JSON Schema of the policy file")
        schema.add_argument("--systems", action="store_true", help="print that of the systems file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand."""
        if options["action"] == "schema":
            schema = policy.systems_schema() if options["systems"] else policy.schema()
            self.stdout.write(json.dumps(schema, indent=2, ensure_ascii=False))
        else:
            self._check(options["policy"] or settings.DSR_POLICY, options["systems"] or settings.DSR_SYSTEMS)

    def _check(self, policy_path: str, systems_path: str) -> None:
        if not policy_path or not systems_path:
            raise CommandError(_("Nothing to check: set DSR_POLICY and DSR_SYSTEMS, or give --policy and --systems."))
        try:
            policy.configure(policy_path, systems_path)
        except policy.PolicyError as error:
            raise CommandError(str(error)) from None
        current, systems = policy.current(), policy.systems()
        facts = {
            "name": current.organisation.name,
            "version": current.version,
            "systems": len(systems.systems),
            "collections": sum(len(system.collections) for system in systems.systems),
        }
        said = _(
            "%(name)s, version of %(version)s: %(systems)d systems, %(collections)d collections. Both files are right."
        )
        self.stdout.write(said % facts)
        self._list(_("Assumed, since the published policy does not say it:"), current.assumed)
        self._list(_("Slots of an access answer that nothing fills, so that it is held:"), current.slots_missing())

    def _list(self, title: str, entries: tuple[str, ...] | list[str]) -> None:
        if entries:
            self.stdout.write(title)
            for entry in entries:
                self.stdout.write(f"  {entry}")
