from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.access import accounts_of
from accounts.models import User


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the calls of the only account, or a choice of accounts."""
    accounts = accounts_of(cast(User, request.user))
    if len(accounts) == 1:
        return redirect("call-list", accounts[0].slug)
    return render(request, "accounts/home.html", {"accounts": accounts})
