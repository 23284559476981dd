-- ctl_nodes: the nodes as Redis knows them: those that beat, and those that are no more but still have
-- sessions.
-- with: base nodes rows
local SILENT_MS = 1500 -- three beats are missing

local function show(node, seen, why)
    local is_silent = why or life - seen.beat > SILENT_MS
    row('Node', 'id', node_id(node), 'incarnation', node:match('@([^@]*)$') or '',
        'state', is_silent and 'silent' or seen.draining and 'draining' or 'serving', 'hgtp', seen.hgtp or '', 'http', seen.http or '',
        'bus', seen.bus or '', 'since_ms', seen.since or 0,
        'beat_age_ms', seen.beat and math.max(life - seen.beat, 0) or 0,
        'sessions', redis.call('HLEN', key('home', node)), 'error', why or '')
end

local nodes = hash(key('nodes'))
local order = redis.call('HKEYS', key('nodes'))
for _, node in ipairs(redis.call('SMEMBERS', key('lost'))) do
    if not nodes[node] then
        order[#order + 1] = node
    end
end
table.sort(order)
for _, node in ipairs(order) do
    local seen = read_node(nodes[node])
    if seen then
        show(node, seen)
    else
        show(node, {}, nodes[node] and 'what it says of itself in Redis cannot be read'
            or 'it is no more; its sessions go on at the others')
    end
end
return result(ERR.NONE)
