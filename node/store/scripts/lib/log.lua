-- log: the room log: what was said in a room and who was in it, numbered without a hole. An epoch is a stretch
-- of it whose numbers mean one thing only. Redis may lose the end of a log (in a failover, say), and the numbers
-- are used again: so a room's first entry under a new fence begins a new epoch.

local EPOCHS_KEPT = 8

-- Unlike any that the room, or an earlier one with its id, has had.
local function new_epoch()
    return clock[1] .. string.format('%06d', clock[2]) .. text(fence)
end

-- Up to which number the log still is what it was in that epoch; nil: it was never the room's, or too long ago.
local function kept_since(r, epoch)
    local kept
    if epoch == r.epoch then
        return math.huge
    end
    for of, top in (r.epochs or ''):gmatch('(%d+):(%d+)') do
        if of == epoch or kept then
            kept = math.min(kept or math.huge, tonumber(top))
        end
    end
    return kept
end

-- Sees to it that the room's epoch is of the present fence; a log that `is_short` of what was read of it gets
-- a new one in any case.
local function renew_epoch(r, is_short)
    if r.fence == realm[REALM_FENCE] and not is_short then
        return
    end
    local earlier, kept, top = r.epoch, {}, log_top(r.id)
    for one in (redis.call('HGET', key('r', r.id), 'epochs') or ''):gmatch('%S+') do
        kept[#kept + 1] = one
    end
    kept[#kept + 1] = earlier .. ':' .. text(top)
    r.epoch, r.fence = new_epoch(), realm[REALM_FENCE]
    r.epochs = table.concat(kept, ' ', math.max(#kept - EPOCHS_KEPT + 1, 1))
    redis.call('HSET', key('r', r.id), 'epoch', r.epoch, 'fence', r.fence, 'epochs', r.epochs)
    effect_in(r.id, 'epoch', r.id, earlier, r.epoch, top)
end

-- The log has entry `seq` from now on; `s`: the session whose being in the room it changes, else nobody.
local function tell_entry(r, seq, kind, who, content, sent, s)
    effect_in(r.id, 'entry', r.id, r.epoch, seq, kind, who, content, now, sent, s and s.uid or '', s and s.stay or '')
end

-- Writes to the room log, and tells nobody yet: the entry's number, or nil when there is no log any more. `r`
-- has at least id, epoch and fence.
local function write_entry(r, kind, who, content, sent, s)
    renew_epoch(r)
    local fields = { 'kind', kind, 'who', who, 'text', content, 'time', now, 'sent', sent }
    if s then
        for _, field in ipairs({ 'uid', s.uid, 'stay', text(s.stay) }) do
            fields[#fields + 1] = field
        end
    end
    local id = redis.call('XADD', key('log', r.id), 'NOMKSTREAM', 'MAXLEN', '~', A.history, '0-*', unpack(fields))
    return id and tonumber(id:sub(3)) or nil
end

local function append(r, kind, who, content, sent, s)
    local seq = write_entry(r, kind, who, content, sent, s)
    if seq then
        tell_entry(r, seq, kind, who, content, sent, s)
    end
    return seq
end
