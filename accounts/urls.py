"""What staff need of allauth, and no more: no sign-up, no change of address, no social accounts.

The names are allauth's, because its views lead to one another by name.
"""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.urls import path, re_path

from accounts import views
from accounts.second_factor import staff_only

urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="account_login"),
    path("sign-in/second-factor/", factors.authenticate, name="mfa_authenticate"),
    path("sign-out/", account.logout, name="account_logout"),
    path("closed/", account.account_inactive, name="account_inactive"),
    path("confirm/password/", staff_only(account.reauthenticate), name="account_reauthenticate"),
    path("confirm/second-factor/", staff_only(factors.reauthenticate), name="mfa_reauthenticate"),
    path("confirm/key/", staff_only(keys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("password/change/", staff_only(account.password_change), name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9a-f]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/set/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("factors/", staff_only(factors.index), name="mfa_index"),
    path("factors/app/", staff_only(views.ActivateTOTP.as_view()), name="mfa_activate_totp"),
    path("factors/app/remove/", staff_only(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("factors/recovery-codes/", staff_only(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "factors/recovery-codes/new/",
        staff_only(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("factors/keys/", staff_only(keys.list_webauthn), name="mfa_list_webauthn"),
    path("factors/keys/add/", staff_only(views.AddKey.as_view()), name="mfa_add_webauthn"),
    path("factors/keys/<int:pk>/remove/", staff_only(keys.remove_webauthn), name="mfa_remove_webauthn"),
    path("factors/keys/<int:pk>/edit/", staff_only(keys.edit_webauthn), name="mfa_edit_webauthn"),
]
