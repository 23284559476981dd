-- ctl_notice: an operator's words to everybody. They are in no log: who is not here misses them.
-- with: base rows steer
if A.text == '' then
    return result(ERR.MESSAGE_INVALID)
end
local users = redis.call('ZCARD', key('sessions'))
if not is_dry then
    to({ '*' })
    effect('announce', A.actor, A.text, now)
end
return finish('notice', { 'text' }, {
    did = 'told', would = 'tell', what = counted(users, 'user'), users = users, names = {},
})
