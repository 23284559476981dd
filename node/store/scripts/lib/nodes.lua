-- nodes: what the table of living nodes says of them.

-- A node's own words, or nothing when they can't be read.
local function read_node(info)
    local is_read, seen = pcall(cjson.decode, info or '')
    return is_read and type(seen) == 'table' and tonumber(seen.beat) and tonumber(seen.steady) and seen
end

-- A node is "id@incarnation".
local function node_id(node)
    return node:match('^(.*)@') or node
end
