"""
What was bought, where it lies and what became of it → a letter in the buyer's language: subject, text, HTML. Pure.

A letter fetches nothing from elsewhere (no picture, no font, no tracking pixel): it reads the same in every program,
and nobody learns when it was opened. The seller's logo goes along with it. HTML is of at most `LARGEST_HTML` bytes,
however long the names and however many the files: what does not fit is counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import jinja2
from markupsafe import Markup

from paidshare.delivering.letters.names import fitting, short
from paidshare.delivering.letters.purchase import Purchase
from paidshare.orders import Letter, Share
from paidshare.states import Kind
from paidshare.storefront import languages, seller
from paidshare.storefront.reasons import BECAUSE, OF_SOMETHING
from paidshare.storefront.seller import Seller
from paidshare.storefront.wording import Wording, wording
from paidshare.text import cut

LARGEST_HTML = 20_000

# Beyond this, mail programs cut the subject anyway, and one product's name could fill it.
_LONGEST_SUBJECT = 120
# As HTML. What is named in a letter is named up to twice: for people, and for programs.
_BYTES_OF_PRODUCTS = 2_000
_BYTES_OF_FILES = 6_000

RENEWED = "Your download, renewed"
"""The headline where a further period was paid for. It begins with the kind's."""

SENTENCES = (*(kind.headline for kind in Kind), RENEWED, *BECAUSE.values(), OF_SOMETHING)
"""What is looked up in the catalogues and stands in no call (`scripts/catalogs.py`)."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the letters about one *purchase* of the *seller*'s are written."""

    purchase: Purchase
    seller: Seller

    def delivery(self, share: Share, earlier: Iterable[tuple[str, datetime]] = (), *, page: str = "") -> Letter:
        """
        The letter with the link. *share* is live and complete; *earlier* are the products in it that end before it.
        *page* is the order's, which has a link always; where that is the share's link, there is no share yet.
        """
        say, renewed = self._wording, self.purchase.sale.renewal
        rows = [(short(one.name), say.size(one.size)) for one in share.files]
        files = rows[: fitting([name + size + "<li> ()</li>" for name, size in rows], _BYTES_OF_FILES)]
        ends = [(short(name), say.moment(end)) for name, end in earlier]
        known = fitting([name + end for name, end in ends], _BYTES_OF_PRODUCTS)
        until, ready = say.moment(share.expires_at), say.text("Your download is ready")
        return self._letter(
            Kind.DELIVERY,
            template="delivery",
            headline=say.text(RENEWED if renewed else Kind.DELIVERY.headline),
            renewed=renewed,
            preheader=ready if share.link == page else say.text("The link works until %(until)s.", until=until),
            files=files,
            more_files=len(rows) - len(files),
            link=share.link,
            page=page,
            until=until,
            earlier=ends[:known],
            markup=self.purchase.markup(
                "OrderDelivered", self.seller.name, action=(say.text("Open your files"), share.link)
            ),
        )

    def delayed(self, *, by_a_person: bool) -> Letter:
        """
        The order is paid, and the files are not there. *by_a_person*: somebody has to mend what is in the way, and was
        told; else it is tried again.
        """
        say = self._wording
        fact = say.text("We have your order, and its files are not ready yet: that takes longer than it should.")
        then = say.text("Somebody has to look into it, and was told.") if by_a_person else say.text("We keep trying.")
        wait = say.text(
            "As soon as the files are ready, the link comes in a letter of its own. You need not do anything, and not "
            "order again."
        )
        return self._change(
            Kind.DELAYED, fact, f"{then} {wait}", markup=self.purchase.markup("OrderProcessing", self.seller.name)
        )

    def payment_failed(self) -> Letter:
        """A payment that takes days (a bank debit, say) did not come. No link was ever sent."""
        say = self._wording
        return self._change(
            Kind.PAYMENT_FAILED,
            say.text("We have not sent you any files and, as far as we know, you were not charged."),
            say.text("If you would still like the files, please order again."),
        )

    def access_on_hold(self, why: str, *, mailed: bool = True) -> Letter:
        """
        The link does not open until a matter is settled; without a link *mailed* before, none comes until then.

        *why* is the value of an `entitlement.Why`; one that has no sentence here gets a neutral one.
        """
        say = self._wording
        if mailed:
            fact = say.text("For now, the link in our earlier letter does not open.")
            then = say.text(
                "When this is settled and your order stands, the same link opens again by itself, and we write to you."
            )
        else:
            fact = say.text("For now, we cannot send you the link to your files.")
            then = say.text("When this is settled and your order stands, the link comes by itself.")
        return self._change(Kind.ACCESS_ON_HOLD, f"{fact} {self._because(why)}", then)

    def access_ended(self, why: str, *, mailed: bool = True) -> Letter:
        """The link that was *mailed* does not open any more, or none comes. *why* as for `access_on_hold`."""
        say = self._wording
        if mailed:
            fact = say.text("The link in our earlier letter does not open any more.")
        else:
            fact = say.text("We do not send you a link.")
        return self._change(Kind.ACCESS_ENDED, f"{fact} {self._because(why)}")

    def access_back(self, until: datetime) -> Letter:
        """The link that was mailed opens again, until *until* (aware UTC). What was mailed is not mailed again."""
        say = self._wording
        fact = say.text("The link in our earlier letter opens again.")
        end = say.text("It works until %(until)s.", until=say.moment(until))
        then = say.text("It is the same link as before. If you cannot find that letter, answer this one.")
        return self._change(Kind.ACCESS_BACK, f"{fact} {end}", then)

    def access_changed(self, until: datetime, why: str = "") -> Letter:
        """
        The link that was mailed now holds the purchase's products, fewer or more than before, until *until* (aware
        UTC). *why* as for `access_on_hold`; without one, for what comes back, the neutral sentence.
        """
        say = self._wording
        fact = say.text("The link in our earlier letter now holds %(products)s.", products=self._named())
        end = say.text("It works until %(until)s.", until=say.moment(until))
        return self._change(Kind.ACCESS_CHANGED, f"{fact} {end}", self._because(why))

    # --- What they share ------------------------------------------------------------------------------------

    @property
    def _wording(self) -> Wording:
        return wording(languages.best((*self.purchase.sale.locales, self.seller.language)))

    def _because(self, why: str) -> str:
        return self._wording.text(BECAUSE.get(why, OF_SOMETHING))

    def _change(self, kind: Kind, *paragraphs: str, markup: Markup | None = None) -> Letter:
        """A letter that is sentences only: text and HTML are made of the same ones."""
        return self._letter(
            kind,
            template="change",
            headline=self._wording.text(kind.headline),
            preheader=paragraphs[0],
            paragraphs=paragraphs,
            markup=markup,
        )

    def _letter(self, kind: Kind, *, template: str, headline: str, **words: object) -> Letter:
        say, purchase, shop = self._wording, self.purchase, self.seller
        isolated = map(say.apart, purchase.names)
        words |= {
            "say": say,
            "headline": headline,
            "products": self._named(),
            "purchase": purchase,
            "facts": purchase.facts(say),
            "seller": shop,
            "on": seller.on,
        }
        return Letter(
            to=purchase.to,
            subject=cut(f"{headline}: {say.listed(isolated)}", _LONGEST_SUBJECT),
            text=_render(f"{template}.txt.j2", words | {"_": say.text, "n_": say.texts}),
            html=_render(f"{template}.html.j2", words | {"_": say.html, "n_": say.htmls}),
            kind=kind,
        )

    def _named(self) -> str:
        """The products in a row, each once, in the order bought; those that would make the letter too long counted."""
        say = self._wording
        names = list(map(short, self.purchase.names))
        known = names[: max(1, fitting(names, _BYTES_OF_PRODUCTS))]
        row = say.listed(map(say.apart, known))
        more = len(names) - len(known)
        return f"{row} {say.texts('and one more', 'and %(n)d more', more)}" if more else row


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("paidshare.delivering.letters", "templates"),
        # A product's or file's name is the seller's text, not HTML.
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, words: Mapping[str, object]) -> str:
    return _environment().get_template(template).render(words)
