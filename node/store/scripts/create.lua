-- create: CREATE_ROOM. The creator is its manager and first member.
-- with: base step memory request top log session lists room wait
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
refused = refusal_to_open(A.room_id, A.room, A.room_key)
if refused then
    return done(refused)
end

decline_invitations(s)
local r = open_room(A.room_id, A.room, A.room_key, 'users', s.uid, A.members_max)
redis.call('HSET', key('r', r.id), 'opener', s.uid)
steps(s, 'CREATE_ROOM', 'CREATE_ROOM_SUC', 'TO_TALK')
place(s)
reply_here()
changed('rooms')
take_in(s, r)
settle_in(s, r, 1)
begin_log(r, s.name, s)
event('room_created', about(s, r))
return done(ERR.NONE)
