-- ctl_session_kick: ends a user's session as if it had expired: it leaves its room. Who has the key may register
-- again.
-- allow-oom: who leaves makes room
-- with: base step memory request top log session lists room wait ends rows steer
local s = session_named(A.user_key)
if not s then
    return result(ERR.PEER_UNKNOWN)
end
local what, rooms = parting(s)
if not is_dry then
    break_off(s, 'session_kicked')
end
return finish('session_kick', { 'user' }, {
    did = 'ended', would = 'end', what = 'the session of ' .. s.name .. what, users = 1, rooms = rooms,
    names = { s.name },
})
