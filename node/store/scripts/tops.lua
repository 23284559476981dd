-- tops: for each room in `rooms` (id, epoch and next number as the node has them, a space behind each) its epoch,
-- the log's last number, and up to which one it still is what the node has, so that it can see whether it missed
-- something. No epoch: there is no such room, or it is another one. A log that is shorter than what the node has
-- goes on under a new epoch.
-- allow-oom: a log that went back must be told
-- with: base top log
local function of_closed(rid, epoch)
    local top = top_of(closed_log(rid, epoch))
    effect('top', rid, epoch, top > 0 and epoch or '', top, top)
end

for rid, epoch, following in A.rooms:gmatch('(%S+) (%d+) (%d+) ') do
    local r = hash(key('r', rid))
    r.id = rid
    if r.epoch == epoch and log_top(rid) + 1 < tonumber(following) then
        renew_epoch(r, true)
    end
    local kept = r.epoch and kept_since(r, epoch)
    if kept then
        effect('top', rid, epoch, r.epoch, log_top(rid), math.min(kept, log_top(rid)))
    else
        of_closed(rid, epoch)
    end
end
return result(ERR.NONE)
