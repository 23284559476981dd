-- ctl_record: a change that nodes have made themselves is written down. `asked`: the names of the request's
-- fields, each of which is here as arg_<name>.
-- with: base
local args = {}
for name in A.asked:gmatch('%S+') do
    args[#args + 1] = '"' .. name .. '":' .. cjson.encode(A['arg_' .. name])
end
event('ctl_' .. A.method:gsub('(%l)(%u)', '%1_%2'):lower(), { 'actor', A.actor,
    'args', '{' .. table.concat(args, ',') .. '}', 'result', A.what, 'node', A.node })
return result(ERR.NONE)
