--[[
  Puts the bytes of an entry together (the layout is told in entry/header.ts).

  Arguments
    head    the first 56 bytes, made by the client
    n0      the number of the chain that the value is known to follow
    stamps  list of stamps: of the namespaces above, then of the tags
    tail    names of the tags and payload, made by the client
]]
local function entry_bytes(head, n0, stamps, tail)
  local joined = {}
  for index, stamp in ipairs(stamps) do
    joined[index] = string.char(#stamp) .. stamp
  end
  local section = table.concat(joined)
  return string.sub(head, 1, 12)
    .. struct.pack('>d', n0)
    .. string.sub(head, 21)
    .. struct.pack('>I2I4', #stamps, #section)
    .. section
    .. tail
end
