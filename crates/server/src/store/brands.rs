//! How clients look on the pages. Read for pages alone: no token needs it.

use super::{StoreError, Tx};
use crate::domain::{
    brand::{Brand, Colour, Logo, PageUri},
    client::ClientId,
};

/// How a client looks; one that nobody said anything about looks as the issuer does.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, id: &ClientId) -> Result<Brand, StoreError> {
    const SQL: &str = "SELECT logo, colour, policy_uri, tos_uri FROM brands WHERE client_id = $1";
    let Some(row) = tx.fetch_optional(SQL, &[id.as_str().into()]).await? else { return Ok(Brand::default()) };
    let malformed = || StoreError::Broken("a stored brand is malformed".into());
    let page = |index: usize| {
        let uri: Option<String> = row.get(index)?;
        uri.map(|uri| PageUri::parse(&uri).map_err(|_| malformed())).transpose()
    };
    let colour: Option<String> = row.get(1)?;
    Ok(Brand {
        logo: row.get::<Option<Vec<u8>>>(0)?.map(Logo::stored),
        colour: colour.map(|colour| Colour::parse(&colour).map_err(|_| malformed())).transpose()?,
        policy: page(2)?,
        terms: page(3)?,
    })
}

/// Says how a client looks from now on, all of it.
///
/// # Errors
/// As any statement.
pub async fn set(tx: &mut Tx, id: &ClientId, brand: &Brand) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO brands (client_id, logo, colour, policy_uri, tos_uri) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (client_id) DO UPDATE SET logo = excluded.logo, colour = excluded.colour, \
                       policy_uri = excluded.policy_uri, tos_uri = excluded.tos_uri";
    let colour = brand.colour.map(|colour| colour.to_string());
    let params = [
        id.as_str().into(),
        brand.logo.as_ref().map(Logo::as_bytes).into(),
        colour.as_deref().into(),
        brand.policy.as_ref().map(PageUri::as_str).into(),
        brand.terms.as_ref().map(PageUri::as_str).into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// Sets the links alone: what a client that registered itself says of them.
///
/// # Errors
/// As any statement.
pub async fn set_links(tx: &mut Tx, id: &ClientId, links: &[Option<PageUri>; 2]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO brands (client_id, policy_uri, tos_uri) VALUES ($1, $2, $3) \
                       ON CONFLICT (client_id) DO UPDATE SET policy_uri = excluded.policy_uri, tos_uri = excluded.tos_uri";
    let [policy, terms] = links.each_ref().map(|link| link.as_ref().map(PageUri::as_str));
    tx.execute(SQL, &[id.as_str().into(), policy.into(), terms.into()]).await.map(drop)
}

/// Forgets how a client looked.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, id: &ClientId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM brands WHERE client_id = $1";
    tx.execute(SQL, &[id.as_str().into()]).await.map(drop)
}
