-- create: CREATE_ROOM. The creator is its manager and first member.
-- with: base step memory request top session log lists room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
if s.room ~= '' then
    return done(ERR.IN_ROOM)
end
if A.room_id == '' then
    return done(ERR.ROOM_ID_INVALID)
end
refused = refusal_to_open(A.room_id, A.room)
if refused then
    return done(refused)
end

decline_invitations(s)
local r = open_room(A.room_id, A.room, s.uid, A.members_max)
redis.call('HSET', key('r', r.id), 'opener', s.uid)
redis.call('ZADD', key('m', r.id), life, s.uid)
count_member(r.id, s.home, 1)
steps(s, 'CREATE_ROOM', 'CREATE_ROOM_SUC', 'TO_TALK')
place(s)
s.room, s.first = r.id, 1
save(s, 'state', 'room', 'first')

reply_here()
effect_home(s, 'join', s.uid, r.id, r.epoch, 1, r.name, s.name)
changed('rooms')
recounted()
changed('members', r.id)
begin_log(r, s.name)
event('room_created', { 'user', s.name, 'room', r.name })
return done(ERR.NONE)
