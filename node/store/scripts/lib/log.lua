-- log: the room log.

-- Appends to the room log; the entry's number, or nil when the room has no log any more.
local function append(r, kind, who, content, sent)
    local id = redis.call('XADD', key('log', r.id), 'NOMKSTREAM', 'MAXLEN', '~', A.history, '0-*',
        'kind', kind, 'who', who, 'text', content, 'time', now, 'sent', sent)
    if not id then
        return nil
    end
    local seq = tonumber(id:sub(3))
    effect_in(r.id, 'entry', r.id, r.epoch, seq, kind, who, content, now, sent)
    return seq
end
