-- ctl_account_remove: an account is no more, and the session of its user ends as if it had expired.
-- with: base step memory request top log session lists room wait ends account rows steer
local sealed, user = sealed_key(A.user_key)
if sealed == '' then
    return result(ERR.PEER_UNKNOWN)
end
local s = session_named(A.user_key)
local what, rooms = '', 0
if s then
    what, rooms = parting(s)
end
if not is_dry then
    redis.call('HDEL', key('accounts'), A.user_key)
    if s then
        break_off(s, 'session_kicked')
    end
end
return finish('account_remove', { 'user' }, {
    did = 'removed', would = 'remove', what = 'the account ' .. user .. (s and ' and its session' or '') .. what,
    users = 1, rooms = rooms, names = { user },
})
