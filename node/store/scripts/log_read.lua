-- log_read: entries `first` to `last` of a room log, at most `count`. Where some were trimmed, also who of this
-- node's sessions is in the room as of the log's last entry: who has come and gone meanwhile cannot be read any
-- more. Extra: the log's last number. Nothing when the room is another one by now; what was said in a room that is
-- closed can be read for a while.
-- with: base top
local epoch, manager = unpack(redis.call('HMGET', key('r', A.room_id), 'epoch', 'manager'))
local log = epoch == A.epoch and key('log', A.room_id) or closed_log(A.room_id, A.epoch)
local top = top_of(log)
if top == 0 then
    return result(ERR.ROOM_UNKNOWN)
end
local found = redis.call('XRANGE', log, '0-' .. A.first, '0-' .. A.last, 'COUNT', A.count)
local reads_from = found[1] and tonumber(found[1][1]:sub(3)) or tonumber(A.last) + 1
if reads_from > tonumber(A.first) then
    local name = (manager or '') ~= '' and redis.call('HGET', key('u', manager), 'name') or ''
    local row = effect('members', A.room_id, A.epoch, top, name)
    for _, uid in ipairs(redis.call('ZRANGE', key('m', A.room_id), 0, -1)) do
        local home, stay, first = unpack(redis.call('HMGET', key('u', uid), 'home', 'stay', 'first'))
        if home == A.node and epoch == A.epoch then
            for _, field in ipairs({ uid, stay or '0', first or '1' }) do
                row[#row + 1] = field
            end
        end
    end
end
for _, item in ipairs(found) do
    show_entry(A.room_id, A.epoch, item)
end
return result(ERR.NONE, top)
