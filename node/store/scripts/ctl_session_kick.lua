-- ctl_session_kick: ends a user's session as if it had expired: it leaves its room, or closes the one that it
-- manages. Who has the key may register again.
-- with: base step memory request top log session lists room wait ends rows steer
local s = session_named(A.user)
if not s then
    return result(ERR.PEER_UNKNOWN)
end
local r = s.room ~= '' and room(s.room)
local is_manager = r and r.manager == s.uid
local users, names, what = 1, { s.name }, 'the session of ' .. s.name
if is_manager then
    users, names = redis.call('ZCARD', key('m', r.id)), member_names(r.id)
    what = what .. ' and with it the room ' .. r.name .. ', which has ' .. counted(users, 'user')
end
if not is_dry then
    break_off(s, 'session_kicked')
end
return finish('session_kick', { 'user' }, {
    did = 'ended', would = 'end', what = what, users = users, rooms = is_manager and 1 or 0, names = names,
})
