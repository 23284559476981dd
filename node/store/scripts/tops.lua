-- tops: for each room in `rooms` (12 characters each, back to back) its epoch and the log's last
-- number, so that a node can see whether it missed something.
-- with: base top
for i = 1, #A.rooms, 12 do
    local rid = A.rooms:sub(i, i + 11)
    effect('top', rid, redis.call('HGET', key('r', rid), 'epoch') or '', log_top(rid))
end
return result(ERR.NONE)
