--[[
  Reads a counter out of an entry's bytes (the layout is told in entry/header.ts).

  Arguments
    bytes  the entry, or something else
    above  the stamps that hold now
    now    server time in milliseconds

  Returns a word and a number:
    'none'           no entry that is fresh and whose stamps hold
    'wrong'          an entry that is no counter: no integer in decimal digits that is exact, or one with tags
    'counter', n     a counter; beyond it, where its payload begins
]]
local function entry_counter(bytes, above, now)
  if type(bytes) ~= 'string' or #bytes < 62 or string.sub(bytes, 1, 3) ~= 'tc\1' then
    return 'none'
  end
  if struct.unpack('>d', bytes, 29) <= now then
    return 'none'
  end
  local count, length = struct.unpack('>I2I4', bytes, 57)
  local at = 63
  for index = 1, #above do
    local size = string.byte(bytes, at) or 0
    if count < index or string.sub(bytes, at + 1, at + size) ~= above[index] then
      return 'none'
    end
    at = at + 1 + size
  end
  if string.byte(bytes, 4) ~= 2 or count ~= #above or at ~= 63 + length then
    return 'wrong'
  end
  local text = string.sub(bytes, at)
  local digits = string.match(text, '^%-?(%d+)$')
  if not digits or #digits > 16 or tonumber(digits) > 9007199254740991 then
    return 'wrong'
  end
  return 'counter', tonumber(text), at
end
