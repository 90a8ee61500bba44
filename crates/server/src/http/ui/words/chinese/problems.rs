//! Chinese: what went wrong, for those whom it happens to.

use crate::http::ui::words::{Problems, Told};

pub(super) const PROBLEMS: Problems = Problems {
    not_found: Told { title: "此地址没有任何内容", help: "请核对地址，或回到应用。" },
    request_timeout: Told {
        title: "请求到达得太慢", help: "请求必须在 10 秒内到达。请在网络更好时重试。"
    },
    last_admin: Told {
        title: "这是最后一位管理员",
        help: "没有此账号，就没有人能远程管理了。请先把 admin 角色交给其他人。",
    },
    cross_site: Told {
        title: "带有 Cookie 的请求来自其他网站",
        help: "在这里更改内容的请求必须来自本网站的页面。请返回并从那里重试。",
    },
    duplicate_cookie: Told {
        title: "同一个 Cookie 被发送了两次",
        help: "同一域名下的其他主机可能设置了同名的 Cookie。两者都已清除；请重新登录。",
    },
    invalid_credentials: Told {
        title: "邮箱或密码错误",
        help: "无论是邮箱未知、密码错误、账号停用，还是邮箱尚待确认，回答都相同，使任何人都无法打听谁在这里有账号。如果密码正确而邮箱尚未确认，另一封带有链接的邮件正在发送。",
    },
    second_factor_wrong: Told {
        title: "代码错误",
        help: "请输入身份验证器应用当前显示的六位数字，或一个恢复代码。每个代码只能使用一次：请等待下一个，最多 30 秒。如果始终不正确，说明手机的时钟不准；请将其设为自动。",
    },
    mail_code_wrong: Told {
        title: "代码错误或已失效",
        help: "请输入最新邮件中的八个字母。它们只能使用一次，十分钟内、五次尝试内有效，并且只在请求它们的浏览器中有效。如果始终不正确，请再请求一封邮件。",
    },
    passkey_refused: Told {
        title: "通行密钥未被接受",
        help: "如果此处不认识该通行密钥、它已被移除或属于他人，或其回答与所问不符，回复都相同。请使用另一个通行密钥或其他登录方式；已从账号移除的通行密钥，也应从设备上删除。",
    },
    passkey_late: Told {
        title: "用时过长", help: "必须在五分钟内，在请求通行密钥的页面上出示它。请重试。"
    },
    passkey_known: Told {
        title: "此通行密钥已被添加", help: "它先前已添加到此账号或其他账号。请新建一个。"
    },
    passkeys_unavailable: Told {
        title: "此处不能使用通行密钥",
        help: "浏览器只为有名称的主机创建通行密钥，而本网站的地址只是数字。请联系网站管理员。",
    },
    second_factor_missing: Told {
        title: "此应用需要第二重验证",
        help: "该账号尚未设置。请先为账号添加通行密钥或身份验证器应用，然后重新登录。",
    },
    sign_in_stale: Told {
        title: "您登录的时间已太久",
        help: "用来打开账号的内容须在登录后十分钟内更改，以免有人在未关闭的浏览器上更改它。请重新登录。",
    },
    step_up_needed: Told {
        title: "需要用第二重验证登录",
        help: "该账号设有第二重验证，而此会话开始时没有用到。请用通行密钥、身份验证器应用的代码或恢复代码重新登录。",
    },
    password_too_short: Told {
        title: "密码太短",
        help: "作为唯一验证方式的密码至少需要 15 个字符。由四五个词组成的句子很容易记住；对字符没有其他要求。",
    },
    password_too_long: Told {
        title: "密码太长", help: "最多接受 1024 字节，以免有人让服务器忙于计算。"
    },
    password_common: Told {
        title: "密码太容易猜到",
        help: "它在常见密码列表中，或重复同一个字符，或由您的邮箱或本网站的名称组成。",
    },
    invalid_email: Told {
        title: "这不是电子邮箱", help: "需要一个 @，最多 254 字节，不含空格或控制字符。"
    },
    registration_closed: Told {
        title: "这里不接受自行注册", help: "账号由管理员添加。请联系网站管理员。"
    },
    too_many_attempts: Told {
        title: "尝试次数过多",
        help: "请稍等片刻再试。等待时间随账号的失败次数增长，并在下次成功登录后结束。",
    },
    overloaded: Told { title: "服务器繁忙", help: "没有任何更改。请稍后重试。" },
    unavailable: Told {
        title: "服务器无法连接其数据库",
        help: "没有任何更改，或者不确定是否有更改；再试一次是安全的。",
    },
    key_store: Told {
        title: "服务器无法访问其密钥库",
        help: "令牌由密钥库签名,而密钥库目前没有响应,因此暂时无法签发新令牌。您没有被登出,也没有丢失任何内容。请稍后再试。",
    },
    authorize_invalid: Told {
        title: "无法回答应用的请求",
        help: "请求中没有此处已知的应用，或没有该应用登记过的地址，因此不会把任何人带往别处。请回到应用，并联系其开发者。",
    },
    mail_link_invalid: Told {
        title: "此链接无法使用",
        help: "它已被使用过、超过一小时，或被邮件程序截断；也可能账号之后更换了密码或邮箱，或者相关邮箱已属于他人的账号。请重新请求一封邮件。",
    },
    form_expired: Told {
        title: "此页面已无法使用",
        help: "它打开的时间太久、已经提交过，或是在另一个浏览器中打开的。请回到应用重新开始。必须允许本网站使用 Cookie。",
    },
    upstream_failed: Told {
        title: "通过其他提供方登录未成功",
        help: "该提供方没有回应、拒绝了请求，或发来的内容无法证明任何人的身份。请重试，或用其他方式登录。",
    },
    upstream_no_account: Told {
        title: "这里没有您的账号",
        help: "该提供方确认了您的身份，但这在此处打不开任何账号：账号已停用、提供方没有给出已确认的邮箱，或这里的账号由管理员添加。请用其他方式登录，或联系管理员。",
    },
    internal: Told {
        title: "我们这边出了问题",
        help: "管理员可凭请求编号找到日志中的那一行。就目前所知，没有任何内容丢失。",
    },
};
