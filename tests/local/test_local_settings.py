"""Which of the two services are real, and what the laptop refuses."""

import pytest

from local.settings import FASTIO_API_KEY, STRIPE_WEBHOOK_SECRET, Keys, SettingsWrong


class TestKeys:
    def test_an_empty_environment_means_two_stand_ins(self) -> None:
        assert Keys.from_environ({}) == Keys()

    def test_a_stripe_key_means_the_real_stripe_alone(self) -> None:
        keys = Keys.from_environ({"STRIPE_API_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"})

        assert keys.real_stripe
        assert not keys.real_fastio
        assert (keys.stripe_api_key, keys.stripe_webhook_secret) == ("sk_test_1", "whsec_1")
        assert keys.fastio_api_key == FASTIO_API_KEY

    def test_a_fastio_key_with_a_workspace_means_the_real_fastio_alone(self) -> None:
        keys = Keys.from_environ({"FASTIO_API_KEY": "k", "FASTIO_WORKSPACE": "shop", "FASTIO_FILES": "1,2"})

        assert keys.real_fastio
        assert not keys.real_stripe
        assert (keys.fastio_workspace, keys.fastio_files) == ("shop", "1,2")

    def test_the_webhook_secret_can_be_another_one(self) -> None:
        assert Keys.from_environ({}).stripe_webhook_secret == STRIPE_WEBHOOK_SECRET
        assert Keys.from_environ({"STRIPE_WEBHOOK_SECRET": "whsec_mine"}).stripe_webhook_secret == "whsec_mine"

    @pytest.mark.parametrize(
        ("environ", "named"),
        [
            # Somebody's shop must not be tried out.
            ({"STRIPE_API_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}, "live key"),
            ({"STRIPE_API_KEY": "rk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}, "live key"),
            # Without it every event would be refused, for no visible reason.
            ({"STRIPE_API_KEY": "sk_test_1"}, "STRIPE_WEBHOOK_SECRET"),
            ({"FASTIO_API_KEY": "k"}, "FASTIO_WORKSPACE"),
        ],
    )
    def test_what_cannot_work_is_named(self, environ: dict[str, str], named: str) -> None:
        with pytest.raises(SettingsWrong, match=named) as refused:
            Keys.from_environ(environ)

        assert environ.get("STRIPE_API_KEY", "sk_") not in str(refused.value).replace("STRIPE_API_KEY", "")
