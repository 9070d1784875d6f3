"""An interaction: what happens in the browser between a client's request and its answer."""

from service_common.errors import Invalid


class InteractionGone(Invalid):
    """Unknown, of another browser, finished, or too old. Nothing tells which."""

    code = "interaction_gone"
    zh = "本次登录已失效或已完成，请返回应用重新发起。"
    en = "This log-in is over or no longer valid: begin again in the application."


class FormNotOurs(Invalid):
    """The form was not shown to this browser (cross-site request forgery), or cookies are switched off."""

    code = "form_not_ours"
    zh = "页面已失效，请刷新后重试；浏览器需允许使用 Cookie。"
    en = "This page is no longer valid: reload it. Cookies must be allowed."
