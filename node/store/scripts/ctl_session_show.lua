-- ctl_session_show: a user's session.
-- with: base top session nodes rows shown
local uid = redis.call('GET', key('un', A.user))
local s = uid and session(uid)
if not s then
    return result(ERR.PEER_UNKNOWN)
end
show_session(s)
return result(ERR.NONE)
