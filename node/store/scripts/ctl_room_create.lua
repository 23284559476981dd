-- ctl_room_create: an operators' room. It has no manager and stays, with members or without, until it is
-- deleted; people join it, and operators invite.
-- with: base top log session lists room rows steer
if A.room:find('%c') then
    return result(ERR.NAME_INVALID)
end
local rid
local tries = 0
repeat
    rid = redis.sha1hex(A.room .. ' ' .. clock[1] .. ' ' .. clock[2] .. ' ' .. tries):sub(1, 12)
    tries = tries + 1
until redis.call('EXISTS', key('r', rid)) == 0
local refused = refusal_to_open(rid, A.room, A.room_key)
if refused then
    return result(refused)
end
local limit = number_of(A.limit)
limit = limit > 0 and limit or tonumber(A.members_max)
if not is_dry then
    local r = open_room(rid, A.room, A.room_key, 'operators', '', limit)
    begin_log(r, A.actor)
    changed('rooms')
    recounted()
end
return finish('room_create', { 'room', 'limit' }, {
    did = 'created', would = 'create', what = 'the room ' .. A.room .. ' for ' .. counted(limit, 'member'),
    rooms = 1, names = { A.room },
})
