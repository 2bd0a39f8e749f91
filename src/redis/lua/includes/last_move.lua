--[[
  The number of the last invalidation of a group that has no stamp, or of another one that shares its field of the chain
  head; nil where nobody knows.

  Arguments
    q      chain head
    field  the field of q that notes it; where it is absent, the floor does
]]
--- @include head_number
local function last_move(q, field)
  if not head_number(q) then
    return nil
  end
  local text = redis.call('HGET', q, field) or redis.call('HGET', q, 'floor')
  if not text or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  return tonumber(text)
end
