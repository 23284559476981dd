-- say: a message into the room log. `print`, when the client gave an id, makes a repetition harmless.
-- with: base memory request top log session
local s, refused = speaker('stays')
if not s then
    return result(refused)
end
local again = repeated()
if again then
    return again
end
if s.room == '' or not redis.call('ZSCORE', key('m', s.room), s.uid) then
    return result(ERR.NOT_IN_ROOM)
end
local epoch, of_fence = unpack(redis.call('HMGET', key('r', s.room), 'epoch', 'fence'))
local r = { id = s.room, epoch = epoch, fence = of_fence }
local seq = epoch and append(r, 'message', s.name, A.text, A.sent or now)
if not seq then
    return result(ERR.ROOM_UNKNOWN)
end
return done(ERR.NONE, seq)
