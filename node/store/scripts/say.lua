-- say: a message into the room log. `print`, when the client gave an id, makes a repetition harmless.
-- with: base memory request top session log
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
local epoch = redis.call('HGET', key('r', s.room), 'epoch')
local seq = epoch and append({ id = s.room, epoch = epoch }, 'message', s.name, A.text, A.sent or now)
if not seq then
    return result(ERR.ROOM_UNKNOWN)
end
return done(ERR.NONE, seq)
