--[[
  The number of a chain's last link; nil where there is no chain, or something foreign in its place.

  Arguments
    q  chain head
]]
--- @include value_or_absent
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  -- Beyond this the next number would be the same one.
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
