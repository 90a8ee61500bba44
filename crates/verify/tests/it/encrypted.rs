//! Access tokens that were encrypted to a service.

use countersign_jose::jwe::{ContentAlgorithm, DecryptionKey, Decryptor, Encryptor, KeyAlgorithm};
use countersign_verify::{Rejection, TestIssuer, Verifier, VerifierBuilder};

use crate::support::ISSUER;

fn key(kid: &str) -> DecryptionKey {
    DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, kid).unwrap()
}

fn verifier(issuer: &TestIssuer, decryptor: Option<Decryptor>) -> Verifier {
    let builder = issuer.verifier_builder();
    decryptor.into_iter().fold(builder, VerifierBuilder::decryptor).build().unwrap()
}

fn encrypted(to: &DecryptionKey, token: &str) -> String {
    Encryptor::new(&to.encryption_key()).encrypt_signed(token).unwrap()
}

// TOK-10, TOK-11: what is inside is checked like any other token; what is around it proves nothing.
#[tokio::test]
async fn a_token_for_this_service_is_opened_and_checked() {
    let (issuer, own) = (TestIssuer::new(ISSUER).audience("orders"), key("orders-1"));
    let opens = verifier(&issuer, Some(Decryptor::new(own.clone())));
    let signed = issuer.token().sub("usr_1").sign();
    let token = encrypted(&own, &signed);
    assert_eq!(opens.verify(&token).unwrap().sub, "usr_1");
    assert_eq!(opens.verify_online(&token).await.unwrap().sub, "usr_1");
    assert_eq!(opens.verify(&signed).unwrap().sub, "usr_1");
    for (kind, wrong) in issuer.all_wrong().filter(|(_, wrong)| wrong.bytes().filter(|byte| *byte == b'.').count() == 2)
    {
        if let Ok(token) = Encryptor::new(&own.encryption_key()).encrypt_signed(&wrong) {
            assert!(opens.verify(&token).is_err(), "{kind:?}");
        }
    }
    // Somebody who knows the public key alone can encrypt, and sign nothing.
    let text = Encryptor::new(&own.encryption_key()).encrypt(br#"{"sub":"usr_1"}"#).unwrap();
    assert!(matches!(opens.verify(&text), Err(Rejection::Malformed(_))));
    let untyped = Encryptor::new(&own.encryption_key()).encrypt(signed.as_bytes()).unwrap();
    assert!(matches!(opens.verify(&untyped), Err(Rejection::Malformed(_))));
}

// TOK-02, TOK-10: without the key, with another one, or in another algorithm than this service has pinned.
#[test]
fn others_do_not_open_it_and_no_header_chooses() {
    let (issuer, own) = (TestIssuer::new(ISSUER).audience("orders"), key("orders-1"));
    let token = encrypted(&own, &issuer.token().sign());
    let refused =
        |decryptor| assert!(matches!(verifier(&issuer, decryptor).verify(&token), Err(Rejection::Malformed(_))));
    refused(None);
    refused(Some(Decryptor::new(key("orders-1"))));
    refused(Some(Decryptor::new(key("orders-2"))));
    refused(Some(Decryptor::new(own.clone()).accept([ContentAlgorithm::A128GCM])));
    let other = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "orders-1").unwrap();
    refused(Some(Decryptor::new(other)));
    let altered = format!("{}A", &token[..token.len() - 1]);
    let opens = verifier(&issuer, Some(Decryptor::new(own)));
    assert!(altered == token || opens.verify(&altered).is_err());
}
