-- ctl_account_remove: an account is no more. A session that stands stays until it ends.
-- with: base rows steer
if redis.call('HEXISTS', key('accounts'), A.user) == 0 then
    return result(ERR.PEER_UNKNOWN)
end
if not is_dry then
    redis.call('HDEL', key('accounts'), A.user)
end
local stays = redis.call('EXISTS', key('un', A.user)) == 1 and '; its session stays until it ends' or ''
return finish('account_remove', { 'user' }, {
    did = 'removed', would = 'remove', what = 'the account ' .. A.user .. stays,
    users = 1, names = { A.user },
})
