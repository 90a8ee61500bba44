//! The one session with the token. What the module says is broken is closed, and opened anew by the next call.

use std::collections::HashMap;

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11 as Module},
    error::{Error, RvError},
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};

use super::super::{remote::Fault, secret_place};
use crate::{config, secret::PlainSecret};

/// How a job failed.
#[derive(Debug)]
pub(super) enum Broken {
    Module(Error),
    Fault(Fault),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The token, open or not.
pub(super) struct Token {
    config: config::Pkcs11,
    /// Before the module: it is closed first.
    session: Option<Session>,
    module: Option<Module>,
    /// What was found under a label, in this session.
    found: HashMap<String, ObjectHandle>,
    /// A PIN that was wrong is never shown again: a few tries lock the token.
    wrong_pin: Option<PlainSecret>,
}

impl Token {
    pub fn new(config: config::Pkcs11) -> Self {
        Self { config, session: None, module: None, found: HashMap::new(), wrong_pin: None }
    }

    /// Runs a job in an open session.
    pub fn attempt<T>(&mut self, job: impl FnOnce(&mut Self) -> Result<T, Broken>) -> Result<T, Fault> {
        let done = self.open().and_then(|()| job(self));
        done.map_err(|broken| {
            let fault = match broken {
                Broken::Fault(fault) => fault,
                Broken::Module(error) => fault(&error),
            };
            if matches!(fault, Fault::Down(_)) {
                self.close();
            }
            fault
        })
    }

    pub fn session(&self) -> Result<&Session, Broken> {
        self.session.as_ref().ok_or_else(|| Fault::Down("its session is closed".to_owned()).into())
    }

    /// The AES key of this label; one that can be taken out of the token guards nothing.
    pub fn wrapping_key(&mut self, label: &str) -> Result<ObjectHandle, Broken> {
        let key = self.find(ObjectClass::SECRET_KEY, label)?;
        let wanted = [AttributeType::Extractable, AttributeType::Sensitive];
        let attributes = self.session()?.get_attributes(key, &wanted)?;
        if attributes.contains(&Attribute::Extractable(false)) && attributes.contains(&Attribute::Sensitive(true)) {
            return Ok(key);
        }
        let say = "must be sensitive and not extractable; make another one";
        Err(Fault::Refused(format!("the key {label} {say}")).into())
    }

    /// The one object of this class and label.
    pub fn find(&mut self, class: ObjectClass, label: &str) -> Result<ObjectHandle, Broken> {
        let name = format!("{class} {label}");
        if let Some(handle) = self.found.get(&name) {
            return Ok(*handle);
        }
        let template = [Attribute::Class(class), Attribute::Label(label.as_bytes().to_vec())];
        match self.session()?.find_objects(&template)?.as_slice() {
            [one] => {
                self.found.insert(name, *one);
                Ok(*one)
            }
            [] => Err(Fault::Refused(format!("the token has no key {label}")).into()),
            _ => Err(Fault::Refused(format!("the token has several keys {label}")).into()),
        }
    }

    fn open(&mut self) -> Result<(), Broken> {
        if self.session.is_some() {
            return Ok(());
        }
        let pin = secret_place::read(&self.config.pin)?;
        if self.wrong_pin.as_ref().is_some_and(|wrong| wrong.expose() == pin.expose()) {
            return Err(Fault::Refused(
                "the PIN was wrong and is not tried again: the token would lock itself".to_owned(),
            )
            .into());
        }
        let module = Module::new(&self.config.module)?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(error.into()),
        }
        // From here on it must be finalized, whatever happens.
        let module = self.module.insert(module);
        let mut slot = None;
        for candidate in module.get_slots_with_token()? {
            let info = module.get_token_info(candidate)?;
            if info.token_initialized() && info.label().trim_end() == self.config.token {
                if slot.is_some() {
                    let two = format!("two tokens are called {}: which one is to have the PIN?", self.config.token);
                    return Err(Fault::Refused(two).into());
                }
                // Every start of a server is a try, and a supervisor starts it again and again.
                if info.user_pin_locked() || info.user_pin_final_try() {
                    let left =
                        "the token is locked, or locks itself at the next wrong PIN; log in with another program first";
                    return Err(Fault::Refused(left.to_owned()).into());
                }
                slot = Some(candidate);
            }
        }
        let slot = slot.ok_or_else(|| Fault::Down(format!("no token {} is plugged in", self.config.token)))?;
        let session = module.open_rw_session(slot)?;
        match session.login(UserType::User, Some(&AuthPin::from(pin.expose()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => {
                if matches!(error, Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _))
                {
                    self.wrong_pin = Some(pin);
                }
                return Err(error.into());
            }
        }
        self.session = Some(session);
        Ok(())
    }

    fn close(&mut self) {
        self.found.clear();
        self.session = None;
        if let Some(module) = self.module.take() {
            // What is broken may not close well; the next call begins anew either way.
            let _ = module.finalize();
        }
    }
}

/// What stays so until somebody changes something is a refusal; the rest may be a token that is away for a moment.
fn fault(error: &Error) -> Fault {
    use RvError::{
        AttributeValueInvalid, CurveNotSupported, EncryptedDataInvalid, EncryptedDataLenRange, FunctionNotSupported,
        KeyFunctionNotPermitted, KeySizeRange, KeyTypeInconsistent, MechanismInvalid, MechanismParamInvalid,
        PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked, TemplateInconsistent, UserPinNotInitialized,
    };
    let stays = match error {
        Error::Pkcs11(rv, _) => matches!(
            rv,
            AttributeValueInvalid
                | CurveNotSupported
                | EncryptedDataInvalid
                | EncryptedDataLenRange
                | FunctionNotSupported
                | KeyFunctionNotPermitted
                | KeySizeRange
                | KeyTypeInconsistent
                | MechanismInvalid
                | MechanismParamInvalid
                | PinExpired
                | PinIncorrect
                | PinInvalid
                | PinLenRange
                | PinLocked
                | TemplateInconsistent
                | UserPinNotInitialized
        ),
        _ => true,
    };
    // Of a wrong key some tokens say only that something went wrong.
    let unopened = matches!(error, Error::Pkcs11(RvError::GeneralError, Function::Decrypt));
    if unopened {
        return Fault::Refused(format!("it does not open the wrapped key: {error}"));
    }
    if stays { Fault::Refused(error.to_string()) } else { Fault::Down(error.to_string()) }
}
