-- page: the page of a list (`what`) that begins at `first`, to one user.
-- with: base top log session lists
local s = session(A.uid)
if s and (A.what ~= 'members' or s.room ~= '') then
    give(s, A.what, tonumber(A.first))
end
return result(ERR.NONE)
