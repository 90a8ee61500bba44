//! Chinese in simplified characters, polite (您); the words are those of the pages (`http/ui/words/chinese.rs`).

use super::{Facts, Words};
use crate::domain::mail::Letter;

/// What stands below every link.
const LIMITS: &str = "链接一小时内有效，只能使用一次。";

pub(super) fn words(letter: Letter, facts: Facts<'_>) -> Words {
    match letter {
        Letter::Verify => verify(facts),
        Letter::Known => known(facts),
        Letter::Reset => reset(facts),
        Letter::SignIn => sign_in(facts),
        Letter::ResetDone => reset_done(facts),
        Letter::PasswordChanged => password_changed(facts),
        Letter::Change => change(facts),
        Letter::ChangeAsked => change_asked(facts),
        Letter::ChangeDone => change_done(facts),
        Letter::DeletionAsked => deletion_asked(facts),
        Letter::Invitation => invitation(facts),
        Letter::FactorAdded => factor_added(facts),
        Letter::FactorRemoved => factor_removed(facts),
        Letter::FactorsReset => factors_reset(facts),
        Letter::RecoveryUsed => recovery_used(facts),
        Letter::RecoveryMade => recovery_made(facts),
        Letter::SecondFactorGuessed => second_factor_guessed(facts),
        Letter::PasskeyCopied => passkey_copied(facts),
    }
}

fn verify(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("请确认您在 {host} 的邮箱"),
        before: vec![format!("有人在 {host} 用邮箱 {address} 创建了账号。如果是您本人，请确认该邮箱属于您：")],
        button: "确认邮箱",
        after: vec![
            LIMITS.to_owned(),
            "如果不是您本人，请不要确认。若想让该账号归您所有，请在登录页面通过“忘记密码？”设置您自己的密码。"
                .to_owned(),
        ],
    }
}

fn known(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("您在 {host} 已有账号"),
        before: vec![
            format!("有人（可能是您）想在 {host} 用邮箱 {address} 创建账号。该账号已经存在，没有任何改变。"),
            "请用它的密码登录。如果您不知道密码，或该账号是他人创建的，请设置您自己的密码；这会让所有人退出登录："
                .to_owned(),
        ],
        button: "设置新密码",
        after: vec![LIMITS.to_owned(), "如果不是您本人，您无需做任何事。".to_owned()],
    }
}

fn sign_in(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("您在 {host} 的代码"),
        before: vec![format!(
            "有人（可能是您）想用邮箱 {address} 登录 {host}。请在那里输入此代码，或在同一浏览器中打开链接："
        )],
        button: "登录",
        after: vec![
            "两者十分钟内有效，只能使用一次，并且只在该浏览器中有效。我们绝不会向您索要此代码。".to_owned(),
            "如果不是您本人，您无需做任何事。".to_owned(),
        ],
    }
}

fn reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("为 {host} 设置新密码"),
        before: vec![format!("有人（可能是您）为 {host} 的账号 {address} 请求了新密码。请在此设置：")],
        button: "设置新密码",
        after: vec![LIMITS.to_owned(), "如果不是您本人，您无需做任何事：原密码仍然有效。".to_owned()],
    }
}

fn reset_done(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的密码已重置"),
        vec![
            format!("您在 {host} 的账号 {address} 的密码已通过发送到此邮箱的邮件中的链接重置。"),
            "所有设备和应用都已退出登录，其他登录方式已断开，尚未确认的邮箱更改已取消。".to_owned(),
            "如果不是您本人，说明有人能看到您的邮件。请先保护好您的邮箱，然后再次设置新密码。".to_owned(),
        ],
    )
}

fn password_changed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的密码已更改"),
        vec![
            format!("您在 {host} 的账号 {address} 的密码已更改，所有设备和应用都已退出登录。"),
            "如果不是您本人，请在登录页面通过“忘记密码？”设置新密码。".to_owned(),
        ],
    )
}

fn change(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("请确认您在 {host} 的新邮箱"),
        before: vec![format!("{host} 的一个账号从现在起要使用邮箱 {address}。如果这是您的账号，请用账号密码确认：")],
        button: "确认新邮箱",
        after: vec![LIMITS.to_owned(), "如果不是您本人，您无需做任何事：没有密码，什么都不会改变。".to_owned()],
    }
}

fn change_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号要更换邮箱"),
        vec![
            format!("有人在登录您在 {host} 的账号 {address} 后，想把邮箱改为 {detail}。在那里确认之后，更改就会生效。"),
            "如果不是您本人，请立即在登录页面通过“忘记密码？”设置新密码。这会让所有人退出登录，并取消更改。".to_owned(),
        ],
    )
}

fn change_done(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号的邮箱已更改"),
        vec![
            format!("您在 {host} 的账号现在使用邮箱 {detail}。相关邮件会发送到那里，{address} 不再属于该账号。"),
            "如果不是您本人，请联系网站管理员。".to_owned(),
        ],
    )
}

fn deletion_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号将被删除"),
        vec![
            format!(
                "一位知道您在 {host} 的账号 {address} 的密码的人想删除它。所有设备和应用都已退出登录。账号将于 {detail} 移除，届时任何人都无法恢复。"
            ),
            "若要保留它，请在那一天之前登录并选择“保留我的账号”。".to_owned(),
            "如果不是您本人，请在登录页面通过“忘记密码？”设置新密码。这样也会保留账号。".to_owned(),
        ],
    )
}

fn invitation(Facts { host, address, detail }: Facts<'_>) -> Words {
    Words {
        subject: format!("您在 {host} 收到了邀请"),
        before: vec![format!("您受邀加入 {host} 的 {detail}。请先用邮箱为 {address} 的账号在那里登录，然后查看邀请：")],
        button: "查看邀请",
        after: vec![
            "链接七天内有效，只能使用一次。".to_owned(),
            "如果您不知道这是什么，您无需做任何事：在您接受之前，什么都不会发生。".to_owned(),
        ],
    }
}

/// What a kind of factor is called.
fn kind(detail: &str) -> &'static str {
    match detail {
        "totp" => "身份验证器应用",
        "passkey" => "通行密钥",
        _ => "第二重验证",
    }
}

/// What stands below every notice about what opens the account.
const NOT_YOU: &str = "如果不是您本人，说明他人已进入您的账号：请在登录页面通过“忘记密码？”设置新密码，这会让所有人退出登录，并联系网站管理员。";

fn factor_added(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号添加了第二重验证"),
        vec![format!("从现在起，登录您在 {host} 的账号 {address} 还需要：{}。", kind(detail)), NOT_YOU.to_owned()],
    )
}

fn factor_removed(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号移除了一个第二重验证"),
        vec![format!("您在 {host} 的账号 {address} 移除了{}：它不能再打开该账号。", kind(detail)), NOT_YOU.to_owned()],
    )
}

fn factors_reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号的第二重验证已移除"),
        vec![
            format!(
                "管理员移除了您在 {host} 的账号 {address} 的所有第二重验证和恢复代码，所有设备和应用都已退出登录。现在仅凭密码就能打开它；请重新添加第二重验证。"
            ),
            "如果这不是您要求的，请联系网站管理员。".to_owned(),
        ],
    )
}

fn recovery_used(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号使用了一个恢复代码"),
        vec![
            format!("有人用密码和一个恢复代码登录了您在 {host} 的账号 {address}。剩余的恢复代码：{detail}。"),
            NOT_YOU.to_owned(),
        ],
    )
}

fn recovery_made(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号有了新的恢复代码"),
        vec![format!("您在 {host} 的账号 {address} 有了新的恢复代码。旧的已全部失效。"), NOT_YOU.to_owned()],
    )
}

fn second_factor_guessed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("有人知道您在 {host} 的密码"),
        vec![
            format!(
                "有人用密码登录您在 {host} 的账号 {address}，然后接连输入了多个错误的代码。对方没有进入您的账号，之后的尝试必须等待越来越久。"
            ),
            "如果不是您本人，请立即在登录页面通过“忘记密码？”设置新密码。".to_owned(),
        ],
    )
}

fn passkey_copied(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("您在 {host} 的账号拒绝了一个通行密钥"),
        vec![
            format!(
                "有人尝试用通行密钥“{detail}”登录您在 {host} 的账号 {address}。它声称的使用次数少于实际次数：可能有人持有它的副本。对方没有进入您的账号。"
            ),
            "请从账号中移除此通行密钥并添加新的，即使是您本人操作。".to_owned(),
        ],
    )
}

fn notice(subject: String, before: Vec<String>) -> Words {
    Words { subject, before, button: "", after: Vec::new() }
}
