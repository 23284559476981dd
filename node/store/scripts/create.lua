-- create: CREATE_ROOM. The creator is its manager and first member.
-- with: base step request top session log lists room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
decline_invitation(s)
if not step(s, 'CREATE_ROOM') then
    return done(ERR.IN_ROOM)
end
if A.room_id == '' then
    return done(ERR.ROOM_ID_INVALID)
end
if A.room == '' then
    return done(ERR.NAME_INVALID)
end
if redis.call('EXISTS', key('r', A.room_id)) == 1 then
    return done(ERR.ROOM_ID_TAKEN)
end
if redis.call('ZCARD', key('rooms')) >= tonumber(A.rooms_max) then
    return done(ERR.ROOMS_FULL)
end
if redis.call('EXISTS', key('rn', A.room)) == 1 then
    return done(ERR.ROOM_NAME_TAKEN)
end

-- The epoch tells this room's log from that of an earlier room with the same id.
local r = { id = A.room_id, name = A.room, epoch = clock[1] .. string.format('%06d', clock[2]) }
redis.call('HSET', key('r', r.id), 'name', r.name, 'manager', s.uid, 'created', now,
    'epoch', r.epoch, 'limit', A.members_max)
redis.call('SET', key('rn', r.name), r.id)
redis.call('ZADD', key('rooms'), now, r.id)
redis.call('ZADD', key('m', r.id), now, s.uid)
count_member(r.id, s.home, 1)
steps(s, 'CREATE_ROOM_SUC', 'TO_TALK')
s.room, s.first = r.id, 1
save(s, 'state', 'room', 'first')

reply_here()
effect_home(s, 'join', s.uid, r.id, r.epoch, 1, r.name, s.name)
changed('rooms')
recounted()
changed('members', r.id)
redis.call('DEL', key('log', r.id))
redis.call('XADD', key('log', r.id), '0-*', 'kind', 'created', 'who', s.name, 'text', r.name,
    'time', now, 'sent', 0)
effect_in(r.id, 'entry', r.id, r.epoch, 1, 'created', s.name, r.name, now, 0)
event('room_created', { 'user', s.name, 'room', r.name })
return done(ERR.NONE)
