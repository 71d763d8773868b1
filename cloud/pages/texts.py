"""Words of the server-rendered pages, (English, Chinese). Keys of cloud.accounts.errors are here too."""

TEXTS: dict[str, tuple[str, str]] = {
    # pages
    "sign_in": ("Sign in", "登录"),
    "sign_out": ("Sign out", "退出登录"),
    "sign_in_name": ("Sign-in name", "登录名"),
    "password": ("Password", "密码"),
    "password_new": ("New password", "新密码"),
    "password_again": ("New password again", "再次输入新密码"),
    "password_now": ("Current password", "当前密码"),
    "password_rule": (
        "At least 12 characters. A sentence that nobody else would say is better than signs that you forget.",
        "至少 12 个字符。一句只有您会说的话，比记不住的符号更好。",
    ),
    "password_set": ("Set the password", "设置密码"),
    "password_change": ("Change the password", "修改密码"),
    "password_changed": (
        "The password is changed; other browsers are signed out.",
        "密码已修改，其他浏览器已退出登录。",
    ),
    "forgotten": (
        "Forgotten? Your organisation's administrator can make you a one-time link.",
        "忘记密码？请联系本单位管理员获取一次性链接。",
    ),
    "link_title_password": ("Set your password", "设置您的密码"),
    "link_title_sign_in": ("Sign in once", "一次性登录"),
    "link_for": ("This link is for", "此链接属于"),
    "link_once": ("It works once and then never again.", "此链接仅可使用一次。"),
    "link_gone_title": ("This link no longer works", "此链接已失效"),
    "account": ("Account", "账户"),
    "to_page": ("To the lifts", "返回电梯页面"),
    "roles": ("Roles", "角色"),
    "no_roles": (
        "None: you see no lifts. Your administrator can give you one.",
        "无角色：看不到任何电梯。请联系管理员。",
    ),
    "district": ("district", "区划"),
    "sessions": ("Signed-in browsers", "已登录的浏览器"),
    "session_this": ("this one", "当前浏览器"),
    "session_end": ("Sign it out", "使其退出"),
    "session_begun": ("since", "自"),
    "language": ("Language", "语言"),
    "save": ("Save", "保存"),
    "other_language": ("中文", "English"),
    "passkeys": ("Passkeys", "通行密钥"),
    "passkeys_none": ("None yet.", "暂无。"),
    "passkey_add": ("Add a passkey on this device", "在此设备上添加通行密钥"),
    "passkey_name": ("Name of the passkey", "通行密钥名称"),
    "passkey_remove": ("Remove", "移除"),
    "passkey_sign_in": ("Sign in with a passkey", "使用通行密钥登录"),
    "passkey_failed": (
        "The passkey was not accepted. Try again, or use the password.",
        "通行密钥未被接受。请重试，或使用密码。",
    ),
    "passkeys_many": ("20 passkeys are the most; remove one first.", "最多 20 个通行密钥，请先移除一个。"),
    "passkey_needs_script": (
        "Passkeys need JavaScript and a secure connection.",
        "通行密钥需要 JavaScript 和安全连接。",
    ),
    "oidc_sign_in": ("Sign in with", "登录方式："),
    "oidc_unknown": (
        "The provider knows you, but nobody has linked you to a person here. Ask your administrator.",
        "身份已确认，但尚未与本系统的人员关联。请联系管理员。",
    ),
    "oidc_failed": ("The provider's answer could not be verified. Try again.", "无法验证身份提供方的答复，请重试。"),
    "error": ("This did not work", "操作未成功"),
    "back": ("Back", "返回"),
    # roles and kinds
    "administrator": ("administrator", "管理员"),
    "auditor": ("auditor", "审计员"),
    "dispatcher": ("dispatcher", "调度员"),
    "technician": ("technician", "维保人员"),
    "inspector": ("inspector", "监察员"),
    "viewer": ("viewer", "只读"),
    # what a service says no with
    "sign_in_wrong": (
        "Name and password do not match, or there were too many attempts. After a pause it works again.",
        "登录名与密码不符，或尝试次数过多。稍后可再试。",
    ),
    "too_many": ("Too many requests. Wait a minute.", "请求过多，请稍候一分钟。"),
    "password_short": ("A password has at least 12 characters.", "密码至少 12 个字符。"),
    "password_long": ("A password has at most 200 characters.", "密码最多 200 个字符。"),
    "password_plain": ("A password has at least 5 different characters.", "密码至少包含 5 个不同字符。"),
    "password_name": (
        "A password must hold neither the sign-in name nor the product's name.",
        "密码不得包含登录名或产品名。",
    ),
    "password_differs": ("The two passwords differ.", "两次输入的密码不一致。"),
    "password_wrong": ("The current password is wrong.", "当前密码不正确。"),
    "link_gone": (
        "It was used, has ended, or a newer one was made. Ask for a new one.",
        "链接已使用、已过期或已被新链接取代。请重新申请。",
    ),
    "not_there": ("There is no such thing, or it is not yours.", "不存在，或不属于您。"),
    "not_allowed": ("Your role does not allow this.", "您的角色无此权限。"),
    "also_elsewhere": (
        "This person has a role elsewhere too: only an administrator of the platform may do this.",
        "此人在其他单位亦有角色，仅平台管理员可操作。",
    ),
    "not_yourself": ("You cannot shut yourself out.", "不能停用自己的账户。"),
    "last_administrator": ("Somebody must administer the platform.", "平台至少须有一名管理员。"),
    "name_taken": ("This name is taken.", "名称已被占用。"),
    "sign_in_name_taken": ("This sign-in name is taken.", "登录名已被占用。"),
    "sign_in_name_form": (
        "A sign-in name has 1 to 64 of a-z, 0-9 and . _ @ -",
        "登录名为 1 至 64 个字符：a-z、0-9、. _ @ -",
    ),
    "identity_taken": ("Somebody has this identity already.", "该身份已被他人使用。"),
    "no_such_provider": ("No provider has this issuer.", "没有该身份提供方。"),
    "has_role": ("The person has this role already.", "此人已有该角色。"),
    "no_such_role": ("There is no such role in such an organisation.", "此类单位没有该角色。"),
    "no_such_kind": ("There is no such kind of organisation.", "没有此类单位。"),
    "no_districts": ("Such an organisation has no districts.", "此类单位没有区划。"),
    "district_form": ("A district is 2 to 12 digits.", "区划代码为 2 至 12 位数字。"),
    "wrong_kind": ("This organisation is not of the kind that the place needs.", "单位类型不符。"),
    "gateway_form": ("A gateway's id is 1 to 32 of a-z, 0-9 and -.", "网关编号为 1 至 32 个字符：a-z、0-9、-"),
}


def word(key: str, language: str) -> str:
    """The text of a key in "en" or "zh"."""
    return TEXTS[key][0 if language == "en" else 1]
