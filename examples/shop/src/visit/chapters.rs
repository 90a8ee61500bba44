//! The chapters of the visit, in their order.

use std::time::Duration;

use serde_json::{Value, json};
use stage::{
    Failure,
    client::Call,
    session::{Session, Tokens},
    story::{Story, no_answer, status},
};

use super::{
    PASSWORD, Shop, forge,
    setup::{KIOSK_TTL, MANAGER},
};

const BUYER: &str = "ada@shop.example";
const WEB: &str = "shop-web";
const KIOSK: &str = "shop-kiosk";

/// A person signs in; a role that was granted is in the token from the next refresh on.
pub async fn sign_in(story: &mut Story, shop: &Shop) -> Result<Tokens, Failure> {
    story.chapter("Ada registers, signs in, and becomes a buyer");
    let body = json!({ "email": BUYER, "password": PASSWORD });
    let register = Call::post(format!("{}/register", shop.issuer.url)).json(&body);
    story.ask("Ada registers at the issuer", register, status(201)).await;
    let wrong = login(shop, &json!({ "email": BUYER, "password": "a wrong guess, long enough" }));
    story.ask("somebody guesses her password", wrong, status(401)).await;
    let right = login(shop, &json!({ "email": BUYER, "password": PASSWORD, "client_id": WEB }));
    let ada = Tokens::from(story.ask("Ada signs in on the shop's web page", right, status(200)).await);

    let order = place_order(shop).bearer(&ada.access);
    story.ask("she orders two packets of tea, but nobody has made her a buyer", order, status(403)).await;
    shop.keeper.set_roles(BUYER, &["buyer"]).await?;
    story.say("the administrator gives her the role `buyer`");
    let renewed = story.ask("the page refreshes her token", refresh(shop, WEB, &ada.refresh), status(200)).await;
    let ada = Tokens::from(renewed);
    let order = place_order(shop).bearer(&ada.access);
    let expected = status(201).with("/reservation/reserved_by", "order-service");
    story.ask("she orders again; the order service calls the warehouse under its own name", order, expected).await;
    Ok(ada)
}

/// Who may pass which door.
pub async fn doors(story: &mut Story, shop: &Shop, ada: &Tokens) {
    story.chapter("Doors that open, and doors that do not");
    let (orders, all) = (format!("{}/orders", shop.order.url), format!("{}/orders/all", shop.order.url));
    let stock = format!("{}/stock", shop.warehouse.url);
    let expected = status(200).with("/0/item", "tea");
    story.ask("Ada sees her order", Call::get(&orders).bearer(&ada.access), expected).await;
    story.ask("somebody without a token does not", Call::get(&orders), status(401)).await;
    story.ask("the refresh token is not for services", Call::get(&orders).bearer(&ada.refresh), status(401)).await;
    story.ask("all orders are for managers, not for buyers", Call::get(&all).bearer(&ada.access), status(403)).await;
    let other = Call::get(&stock).bearer(&ada.access);
    story.ask("her token for the order service opens no door at the warehouse", other, status(401)).await;
    let narrow = json!({ "email": BUYER, "password": PASSWORD, "client_id": WEB, "scope": "orders:read" });
    let narrow = story.ask("she signs in again, for reading only", login(shop, &narrow), status(200)).await;
    let order = place_order(shop).bearer(&narrow.text("access_token"));
    story.ask("a buyer whose token is for reading cannot order", order, status(403)).await;

    let manager = |audience: &str| {
        login(shop, &json!({ "email": MANAGER, "password": PASSWORD, "client_id": WEB, "resource": audience }))
    };
    let grace = story.ask("Grace, the manager, signs in", manager("order"), status(200)).await;
    let call = Call::get(&all).bearer(&grace.text("access_token"));
    story.ask("she sees all orders", call, status(200).with("/0/item", "tea")).await;
    let grace = story.ask("Grace signs in for the warehouse", manager("warehouse"), status(200)).await;
    let grace = grace.text("access_token");
    let deliver = Call::put(format!("{stock}/coffee")).bearer(&grace).json(&json!(20));
    story.ask("she takes a delivery of coffee", deliver, status(200).with("/left", 20)).await;
    story
        .ask(
            "she sees the stock: two packets of tea less",
            Call::get(&stock).bearer(&grace),
            status(200).with("/tea", 8),
        )
        .await;
    let reserve = Call::post(format!("{}/reservations", shop.warehouse.url)).bearer(&grace);
    let reserve = reserve.json(&json!({ "item": "tea", "count": 1 }));
    story.ask("reserving is for the order service, not even for a manager", reserve, status(403)).await;
    let grace = story.ask("Grace signs in for the messages", manager("notification"), status(200)).await;
    let messages = Call::get(format!("{}/messages", shop.notification.url)).bearer(&grace.text("access_token"));
    let expected = status(200).with("/0/text", "2 × tea is on its way");
    story.ask("she reads what the order service has sent to Ada", messages, expected).await;
}

/// Tokens that nobody issued.
pub async fn forgeries(story: &mut Story, shop: &Shop, ada: &Tokens) -> Result<(), Failure> {
    story.chapter("Forgeries: Ada's token, with the role `manager`");
    let all = format!("{}/orders/all", shop.order.url);
    for (words, token) in [
        ("signed with another key, under the issuer's key id", forge::signed_by_another_key(&ada.access)?),
        ("altered, with the old signature", forge::altered(&ada.access)?),
        ("with `alg` set to `none`, and no signature", forge::unsigned(&ada.access)?),
    ] {
        let expected = status(401).with("/error", "invalid_token");
        story.ask(words, Call::get(&all).bearer(&token), expected).await;
    }
    Ok(())
}

/// An access token is short-lived; a refresh token gets the next one.
pub async fn expiry(story: &mut Story, shop: &Shop) {
    story.chapter("A token expires, and is refreshed");
    let orders = format!("{}/orders", shop.order.url);
    let body = json!({ "email": BUYER, "password": PASSWORD, "client_id": KIOSK });
    let expected = status(200).with("/expires_in", KIOSK_TTL);
    let kiosk = story.ask("Ada signs in at the kiosk, whose tokens are short", login(shop, &body), expected).await;
    let kiosk = Tokens::from(kiosk);
    story.ask("her token is good", Call::get(&orders).bearer(&kiosk.access), status(200)).await;
    story.say(&format!("{KIOSK_TTL} seconds pass"));
    tokio::time::sleep(Duration::from_secs(KIOSK_TTL)).await;
    let late = Call::get(&orders).bearer(&kiosk.access);
    story.ask("the same token has expired", late, status(401).with("/error", "invalid_token")).await;
    let renewed = story.ask("the kiosk refreshes it", refresh(shop, KIOSK, &kiosk.refresh), status(200)).await;
    let renewed = Call::get(&orders).bearer(&renewed.text("access_token"));
    story.ask("the new token is good", renewed, status(200)).await;
    let stolen = refresh(shop, WEB, &kiosk.refresh);
    let expected = status(400).with("/error", "invalid_grant");
    story.ask("the kiosk's refresh token is of no use to another client", stolen, expected).await;
}

/// Two tabs share what the browser keeps, and nobody is signed out.
pub async fn two_tabs(story: &mut Story, shop: &Shop) {
    story.chapter("Two tabs refresh at the same time");
    let orders = format!("{}/orders", shop.order.url);
    let body = json!({ "email": BUYER, "password": PASSWORD, "client_id": WEB });
    let browser = Tokens::from(story.ask("Ada opens the page in two tabs", login(shop, &body), status(200)).await);
    let [first, second] = story
        .ask_both("both tabs refresh with the same refresh token", refresh(shop, WEB, &browser.refresh), status(200))
        .await
        .map(Tokens::from);
    story.check("the refresh token is a new one", first.refresh != browser.refresh);
    story.check("and both tabs have the same", first.refresh == second.refresh);
    for (tab, tokens) in [("first", first), ("second", second)] {
        let call = Call::get(&orders).bearer(&tokens.access);
        story.ask(&format!("the {tab} tab works on"), call, status(200)).await;
        let call = refresh(shop, WEB, &tokens.refresh);
        story.ask(&format!("the {tab} tab can refresh again"), call, status(200)).await;
    }
}

/// What a token says stops being true at once: the page hears a 401, refreshes once by itself, and goes on.
pub async fn roles(story: &mut Story, shop: &Shop, ada: Tokens) -> Result<Tokens, Failure> {
    story.chapter("A role is taken away, and given back");
    let orders = Call::get(format!("{}/orders", shop.order.url));
    let page = Session::new(story.http(), &shop.issuer.url, WEB, ada);
    story.ask_in(&page, "Ada orders on her page", place_order(shop), status(201)).await;

    let before = page.tokens().await;
    shop.keeper.set_roles(BUYER, &[]).await?;
    story.say("the administrator takes the role `buyer` away");
    let dead = orders.clone().bearer(&before.access);
    story.until("the token that says she is a buyer is dead within a second", dead, status(401)).await;
    let words = "she orders: the page refreshes by itself, and learns that she is no buyer any more";
    story.ask_in(&page, words, place_order(shop), status(403)).await;
    story.ask_in(&page, "she is still signed in", orders.clone(), status(200)).await;

    let between = page.tokens().await;
    shop.keeper.set_roles(BUYER, &["buyer"]).await?;
    story.say("the administrator gives it back");
    let dead = orders.bearer(&between.access);
    story.until("the token without the role is dead, too", dead, status(401)).await;
    let words = "she orders, and notices nothing: the page refreshes once and sends the order again";
    story.ask_in(&page, words, place_order(shop), status(201)).await;
    let after = page.tokens().await;
    let refreshed = before.refresh != between.refresh || before.access != between.access;
    story.check("the page has refreshed for each", refreshed && between.access != after.access);
    Ok(after)
}

/// The services need the issuer's public keys and its log of revocations, not the issuer: for ten seconds, which a restart
/// takes at most.
pub async fn issuer_away(story: &mut Story, shop: &mut Shop, ada: Tokens) -> Result<Tokens, Failure> {
    story.chapter("The issuer is away");
    shop.issuer.kill()?;
    story.say("its process is killed, without a warning");
    let orders = Call::get(format!("{}/orders", shop.order.url));
    story.ask("Ada's token is checked as before", orders.clone().bearer(&ada.access), status(200)).await;
    let order = place_order(shop).bearer(&ada.access);
    let words = "she can even order: the order service still has good tokens of its own";
    story.ask(words, order, status(201)).await;
    let forged = orders.clone().bearer(&forge::altered(&ada.access)?);
    story.ask("an altered token is refused as before", forged, status(401)).await;
    story.ask("refreshing has to wait", refresh(shop, WEB, &ada.refresh), no_answer()).await;

    shop.issuer.start_again().await?;
    story.say("the issuer is started again, on the same data folder");
    let renewed = story.ask("refreshing works again", refresh(shop, WEB, &ada.refresh), status(200)).await;
    let renewed = Tokens::from(renewed);
    story.ask("and the services know the new token's key", orders.bearer(&renewed.access), status(200)).await;
    Ok(renewed)
}

/// The end of everything of hers: at every service, though nobody asks the issuer about a single token.
pub async fn sign_out(story: &mut Story, shop: &Shop, ada: &Tokens) {
    story.chapter("Ada signs out everywhere");
    let at = |audience: &str| {
        login(shop, &json!({ "email": BUYER, "password": PASSWORD, "client_id": WEB, "resource": audience }))
    };
    let warehouse = story.ask("she has signed in for the warehouse, too", at("warehouse"), status(200)).await;
    let notification = story.ask("and for the messages", at("notification"), status(200)).await;
    let order = Call::get(format!("{}/orders", shop.order.url)).bearer(&ada.access);
    let stock = Call::get(format!("{}/stock", shop.warehouse.url)).bearer(&warehouse.text("access_token"));
    let messages = Call::get(format!("{}/messages", shop.notification.url)).bearer(&notification.text("access_token"));
    story.ask("the order service takes her token", order.clone(), status(200)).await;
    story.ask("the warehouse takes its own", stock.clone(), status(200)).await;
    story.ask("the messages are for managers, but her token is good", messages.clone(), status(403)).await;

    let everywhere = json!({ "refresh_token": ada.refresh, "everywhere": true });
    let logout = Call::post(format!("{}/logout", shop.issuer.url)).json(&everywhere);
    story.ask("she signs out", logout, status(204)).await;
    let expected = status(400).with("/error", "invalid_grant");
    story.ask("her refresh token is dead", refresh(shop, WEB, &ada.refresh), expected).await;
    story.say("the feed of revocations brings it to the services, within a second");
    for (words, call) in [
        ("so is her access token, though it had minutes to live and nobody asked the issuer about it", order),
        ("the one for the warehouse", stock),
        ("and the one for the messages", messages),
    ] {
        story.until(words, call, status(401).with("/error", "invalid_token")).await;
    }
    let page = Session::new(story.http(), &shop.issuer.url, WEB, ada.clone());
    let orders = Call::get(format!("{}/orders", shop.order.url));
    story.ask_in(&page, "a page that tries to refresh hears it as well: she has to sign in", orders, status(401)).await;
}

fn login(shop: &Shop, body: &Value) -> Call {
    Call::post(format!("{}/login", shop.issuer.url)).json(body)
}

fn refresh(shop: &Shop, client: &str, token: &str) -> Call {
    let form = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
    Call::post(format!("{}/token", shop.issuer.url)).form(&form)
}

fn place_order(shop: &Shop) -> Call {
    Call::post(format!("{}/orders", shop.order.url)).json(&json!({ "item": "tea", "count": 2 }))
}
