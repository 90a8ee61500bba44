//! Keys from files. A secret is never an argument: the list of processes and the history of the shell would show it.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use countersign_jose::{
    Algorithm, AnyKey, Error, KeyError, SigningKey, VerifyingKey,
    jwe::{ContentAlgorithm, DecryptionKey, EncryptionKey, KeyAlgorithm},
    key,
};
use zeroize::Zeroizing;

use super::input;
use crate::output::Failure;

/// The id that a secret without one has in here; it is never written into a token.
const NAMELESS: &str = "nameless";

/// Where the keys are.
#[derive(Debug, Args)]
pub struct Keys {
    /// Key file: JWK, JWK set, PEM or DER, known by its content (repeatable)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["secret_file", "password_file"])]
    key: Vec<PathBuf>,
    /// File with a shared secret, as it is; needs --alg
    #[arg(long, value_name = "FILE", conflicts_with = "key", requires = "alg")]
    secret_file: Option<PathBuf>,
    /// Use the key for this algorithm only (repeatable for keys that several algorithms fit)
    #[arg(long, value_name = "ALG")]
    alg: Vec<String>,
    /// File with a password, for encryption with a PBES2 algorithm; needs --alg
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "secret_file"], requires = "alg")]
    password_file: Option<PathBuf>,
}

/// A secret or a password from a file.
struct Shared<'k> {
    path: &'k Path,
    alg: KeyAlgorithm,
    secret: Zeroizing<Vec<u8>>,
}

/// A key that signs, and whether a token names it.
#[derive(Debug)]
pub struct Signer {
    pub key: SigningKey,
    pub named: bool,
}

impl Keys {
    /// # Errors
    /// No key can verify.
    pub fn verifying(&self) -> Result<Vec<VerifyingKey>, Failure> {
        self.no_password()?;
        if let Some(path) = &self.secret_file {
            let secret = input::secret(path)?;
            let bind = |alg| VerifyingKey::hmac(alg, NAMELESS, &secret).map(VerifyingKey::without_kid);
            return self.algorithms()?.into_iter().map(bind).collect::<Result<_, _>>().map_err(|e| refused(path, &e));
        }
        self.bound(AnyKey::verifying_key)
    }

    /// The keys that sign, one of each file. `kid` takes the place of their own ids.
    ///
    /// # Errors
    /// A file has no key that can sign, or several.
    pub fn signing(&self, kid: Option<&str>) -> Result<Vec<Signer>, Failure> {
        self.no_password()?;
        let alg = self.one_algorithm()?;
        if let Some(path) = &self.secret_file {
            let secret = input::secret(path)?;
            let alg = alg.ok_or_else(|| Failure::usage("name the algorithm of the secret with --alg"))?;
            let key = SigningKey::hmac(alg, kid.unwrap_or(NAMELESS), &secret).map_err(|e| refused(path, &e))?;
            return Ok(vec![Signer { key, named: kid.is_some() }]);
        }
        self.key.iter().map(|path| signer(path, alg, kid)).collect()
    }

    /// # Errors
    /// No key can encrypt. `enc` is needed for a secret that is the content key.
    pub fn encrypting(&self, enc: Option<ContentAlgorithm>) -> Result<Vec<EncryptionKey>, Failure> {
        if let Some(Shared { path, alg, secret }) = self.shared()? {
            let key = match alg {
                KeyAlgorithm::Dir => EncryptionKey::direct(named(enc)?, NAMELESS, &secret),
                _ if self.password_file.is_some() => EncryptionKey::password(alg, NAMELESS, password(&secret)?),
                _ => EncryptionKey::secret(alg, NAMELESS, &secret),
            };
            return Ok(vec![key.map_err(|error| refused(path, &error))?.without_kid()]);
        }
        self.bound(AnyKey::encryption_key)
    }

    /// # Errors
    /// No key can decrypt. `enc` is needed for a secret that is the content key.
    pub fn decrypting(&self, enc: Option<ContentAlgorithm>) -> Result<Vec<DecryptionKey>, Failure> {
        if let Some(Shared { path, alg, secret }) = self.shared()? {
            let key = match alg {
                KeyAlgorithm::Dir => DecryptionKey::direct(named(enc)?, NAMELESS, &secret),
                _ if self.password_file.is_some() => DecryptionKey::password(alg, NAMELESS, password(&secret)?),
                _ => DecryptionKey::secret(alg, NAMELESS, &secret),
            };
            return Ok(vec![key.map_err(|error| refused(path, &error))?.without_kid()]);
        }
        self.bound(AnyKey::decryption_key)
    }

    fn bound<A: FromStr + Copy, K>(
        &self,
        key: impl Fn(&AnyKey, Option<A>) -> Result<K, Error>,
    ) -> Result<Vec<K>, Failure> {
        let algs: Vec<Option<A>> = match self.alg.as_slice() {
            [] => vec![None],
            _ => self.algorithms()?.into_iter().map(Some).collect(),
        };
        bind(&self.key, &algs, "--alg", key)
    }

    fn shared(&self) -> Result<Option<Shared<'_>>, Failure> {
        let Some(path) = self.secret_file.as_deref().or(self.password_file.as_deref()) else { return Ok(None) };
        let alg = self.one_algorithm()?.ok_or_else(|| Failure::usage("name the algorithm with --alg"))?;
        Ok(Some(Shared { path, alg, secret: input::secret(path)? }))
    }

    fn no_password(&self) -> Result<(), Failure> {
        match &self.password_file {
            Some(_) => Err(Failure::usage("a password signs nothing; give a secret with --secret-file")),
            None => Ok(()),
        }
    }

    fn algorithms<A: FromStr>(&self) -> Result<Vec<A>, Failure> {
        let unknown = |name: &String| Failure::usage(format!("--alg {name}: no algorithm for this has this name"));
        self.alg.iter().map(|name| name.parse().map_err(|_| unknown(name))).collect()
    }

    fn one_algorithm<A: FromStr + Copy>(&self) -> Result<Option<A>, Failure> {
        match self.algorithms()?.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            _ => Err(Failure::usage("give --alg once")),
        }
    }
}

/// The keys of all files, bound to these algorithms; `None` is a key's own. Keys that do not fit are passed over as long as one
/// does. `option` is what names algorithms.
///
/// # Errors
/// No key of these files fits.
pub fn bind<A: Copy, K>(
    files: &[PathBuf],
    algs: &[Option<A>],
    option: &str,
    bind: impl Fn(&AnyKey, Option<A>) -> Result<K, Error>,
) -> Result<Vec<K>, Failure> {
    let (mut keys, mut refusals) = (Vec::new(), Vec::new());
    for path in files {
        for key in import(path)? {
            for alg in algs {
                match bind(&key, *alg) {
                    Ok(key) => keys.push(key),
                    Err(error) => refusals.push(words(path, &error, option)),
                }
            }
        }
    }
    if keys.is_empty() { Err(Failure::usage(refusals.join("\n"))) } else { Ok(keys) }
}

/// The keys of a file, without those that cannot be read where there are others.
///
/// # Errors
/// There is none.
pub fn import(path: &Path) -> Result<Vec<AnyKey>, Failure> {
    let imported = key::import(&input::bytes(path)?).map_err(|error| refused(path, &error))?;
    match (imported.keys.is_empty(), imported.skipped.first()) {
        (true, Some((_, error))) => Err(refused(path, error)),
        (true, None) => Err(Failure::usage(format!("{}: no key in it", path.display()))),
        (false, _) => Ok(imported.keys),
    }
}

fn signer(path: &Path, alg: Option<Algorithm>, kid: Option<&str>) -> Result<Signer, Failure> {
    let bind = |key: AnyKey| match key {
        AnyKey::Private(jwk) => {
            let named = kid.is_some() || jwk.kid().is_some() || jwk.kty() != "oct";
            let kid = kid.map(str::to_owned).or_else(|| (!named).then(|| NAMELESS.to_owned()));
            let key = AnyKey::Private(match kid {
                Some(kid) => jwk.with_kid(kid),
                None => jwk,
            });
            key.signing_key(alg).map(|key| Signer { key, named })
        }
        other => other.signing_key(alg).map(|key| Signer { key, named: true }),
    };
    let (fitting, refusals): (Vec<_>, Vec<_>) = import(path)?.into_iter().map(bind).partition(Result::is_ok);
    let mut fitting: Vec<Signer> = fitting.into_iter().filter_map(Result::ok).collect();
    match (fitting.pop(), fitting.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), others) => {
            Err(Failure::usage(format!("{}: {} keys can sign; give a file with one", path.display(), others + 1)))
        }
        (None, _) => {
            let error = refusals.into_iter().find_map(Result::err).unwrap_or(KeyError::Form.into());
            Err(refused(path, &error))
        }
    }
}

fn named(enc: Option<ContentAlgorithm>) -> Result<ContentAlgorithm, Failure> {
    enc.ok_or_else(|| Failure::usage("a secret that is the content key (dir) needs --enc"))
}

fn password(bytes: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(bytes).map_err(|_| Failure::usage("the password is not UTF-8"))
}

fn refused(path: &Path, error: &Error) -> Failure {
    Failure::usage(words(path, error, "--alg"))
}

fn words(path: &Path, error: &Error, option: &str) -> String {
    let hint = match error {
        Error::Key(KeyError::AlgorithmMissing) => format!("; name the algorithm with {option}"),
        _ => String::new(),
    };
    format!("{}: {error}{hint} ({})", path.display(), error.code())
}
