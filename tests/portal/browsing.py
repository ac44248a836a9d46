"""What a person does with a browser, in few words."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from dsr.models import Case, Mail

ORIGIN = "http://localhost:8000"
ADA = "ada@example.com"


def browser(**options: Any) -> Client:
    """A browser of its own: it says where its forms come from, as all do."""
    return Client(headers={"origin": ORIGIN}, SERVER_NAME="localhost", **options)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def state(response: HttpResponse) -> str:
    """The sealed answers in the form."""
    found = re.search(r'name="state" value="([^"]+)"', text(response))
    assert found, text(response)
    return found[1]


def title(response: HttpResponse) -> str:
    found = re.search(r"<title>(.*?)</title>", text(response), re.S)
    assert found
    return found[1].split(" – ")[0]


def answer(client: Client, before: HttpResponse, step: str, go: str = "next", **fields: Any) -> HttpResponse:
    """Send one page of the form."""
    return client.post("/en/ask/", {"state": state(before), "step": step, "go": go, **fields})


def to_check(
    client: Client, email: str = ADA, relation: str = "self", right: str = "access", **details: Any
) -> HttpResponse:
    """Up to the check page."""
    page = answer(client, client.get(f"/en/ask/?right={right}"), "whose", relation=relation)
    page = answer(client, page, "address", email=email)
    if relation == "self":
        return answer(client, page, "details", **({"format": "jsonl"} | details))
    return answer(client, page, "message", **({"message": "My daughter Mia, born 2015."} | details))


def file(client: Client, email: str = ADA, **details: Any) -> tuple[HttpResponse, Case]:
    """Send a request; the done page, and the case it opened."""
    done = answer(client, to_check(client, email, **details), "check", "send")
    assert done.status_code == 200
    return done, Case.objects.order_by("received_at").last()


def file_by_receipt(client: Client, *receipts: str) -> tuple[HttpResponse, str]:
    """Send a request by receipts; the done page, and the claim code."""
    page = answer(client, client.get("/en/ask/?right=access"), "receipts", receipts="\n".join(receipts))
    page = answer(client, page, "details", format="jsonl")
    done = answer(client, page, "check", "send")
    claim = re.search(r'<p class="code">([^<]+)</p>', text(done))
    assert claim, text(done)
    return done, claim[1]


def last_code(email: str = ADA) -> str:
    """The newest code that was mailed to this address, or ""."""
    mails = [
        mail
        for mail in Mail.objects.filter(message="code").order_by("created_at")
        if mail.content["to"] == email.lower()
    ]
    return mails[-1].content["values"]["code"] if mails else ""


def verified(client: Client, email: str = ADA, **details: Any) -> Case:
    """A request whose code was typed in this browser."""
    _, case = file(client, email, **details)
    response = client.post(f"/en/r/{case.pk}/code/", {"code": last_code(email)})
    assert response.status_code == 303
    return Case.objects.get(pk=case.pk)
