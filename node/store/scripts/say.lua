-- say: a message into the room log. With an `id` of the client's own it is stored once, however often it comes.
-- Extra: its number.
-- with: base memory top log session said
local s, refused = speaker('stays')
if not s then
    return result(refused)
end
if s.room == '' or not redis.call('ZSCORE', key('m', s.room), s.uid) then
    return result(ERR.NOT_IN_ROOM)
end
local r = { id = s.room }
r.epoch, r.fence, r.created = unpack(redis.call('HMGET', key('r', s.room), 'epoch', 'fence', 'created'))
if not r.epoch then
    return result(ERR.ROOM_UNKNOWN)
end
local seq, refused = said_before(r, A.text)
if seq or refused then
    return result(refused or ERR.NONE, seq)
end
seq = append(r, 'message', s.name, A.text, A.sent or now)
if not seq then
    return result(ERR.ROOM_UNKNOWN)
end
return said(r, A.text, seq)
