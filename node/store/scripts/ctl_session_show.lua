-- ctl_session_show: a user's session.
-- with: base top log session nodes rows shown
local s = session_named(A.user_key)
if not s then
    return result(ERR.PEER_UNKNOWN)
end
show_session(s)
return result(ERR.NONE)
