-- log_read: entries `first` to `last` of a room log, at most `count`. Extra: the log's last number,
-- or nothing when the room is closed or another one by now.
-- with: base top
if redis.call('HGET', key('r', A.room_id), 'epoch') ~= A.epoch then
    return result(ERR.ROOM_UNKNOWN)
end
local found = redis.call('XRANGE', key('log', A.room_id), '0-' .. A.first, '0-' .. A.last, 'COUNT', A.count)
for _, item in ipairs(found) do
    show_entry(A.room_id, A.epoch, item)
end
return result(ERR.NONE, log_top(A.room_id))
