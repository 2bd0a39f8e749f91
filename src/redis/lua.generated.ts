// Written by scripts/build-lua.ts from src/redis/lua: change the scripts there.
export const scripts = {
  'acquire-3': {
    keys: 3,
    sha1: '0eb2dfd02bcb3d4788c52b99fe54c3c54f4e249b',
    lua: `local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function set_or_full(...)
  local reply = redis.pcall('SET', ...)
  if not reply.err then
    return nil
  end
  if string.find(reply.err, 'OOM command not allowed', 1, true) then
    return reply.err
  end
  redis.call('SET', ...)
end
local there = value_or_absent('GET', KEYS[1])
if type(there) == 'string' then
  local seen = ARGV[3]
  local same = (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen)
  if not same then
    return { 'found' }
  end
end
local held = value_or_absent('GET', KEYS[2])
local mark = ''
if type(held) == 'string' then
  local left = redis.call('PTTL', KEYS[2])
  if held == 'skip' and left > 0 then
    if ARGV[5] == '1' then
      return { 'skip' }
    end
    mark = '~'
  end
  local code, message = string.match(held, '^failed|([^|]*)|(.*)$')
  local kept
  if not code then
    kept, code, message = string.match(held, '^late|%x+|%d+|(%d+)|([^|]*)|(.*)$')
  end
  if kept then
    left = left - tonumber(kept)
  end
  if code and left > 0 and ARGV[4] == '1' then
    return { 'failed', code, message }
  end
  if kept and left > 0 then
    return { 'late', left }
  end
  local token, granted = string.match(held, '^(%x+)|(%d+)[!~]*$')
  if token and left > 0 then
    if token == ARGV[1] then
      return { 'granted', granted }
    end
    if string.sub(held, -1) == '~' then
      return { 'skip' }
    end
    if string.sub(held, -1) ~= '!' then
      set_or_full(KEYS[2], held .. '!', 'KEEPTTL')
    end
    return { 'busy', left }
  end
end
local n = head_number(KEYS[3])
local n0
if n then
  n0 = string.format('%.0f', n)
else
  local time = redis.call('TIME')
  n0 = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end
local full = set_or_full(KEYS[2], ARGV[1] .. '|' .. n0 .. mark, 'PX', ARGV[2])
if full then
  return { 'full', full }
end
if not n then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'n', n0, 'floor', n0, 'tip', string.sub(ARGV[1], 1, 16))
end
return { 'granted', n0 }`,
  },
  'commit-n': {
    keys: 'n',
    sha1: 'a51ac4a99b4cb2b8e03a98b4e792dcd1588b1793',
    lua: `local function ends_before(key, life)
  local left = redis.call('PTTL', key)
  return left >= 0 and (life == 0 or left < life)
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
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
local function read_stamp(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local function carried_stamps(keys, fields, q, n0, nonce, life)
  local carried = { list = {}, made = {}, short = {}, moved = false }
  for index, key in ipairs(keys) do
    local stamp, n = read_stamp(key)
    if not stamp then
      n = last_move(q, fields[index])
      stamp = string.format('%.0f', math.min(n or n0, n0)) .. ':' .. nonce
      table.insert(carried.made, { key, stamp })
    elseif ends_before(key, life) then
      table.insert(carried.short, key)
    end
    if not n or n > n0 then
      carried.moved = true
    end
    table.insert(carried.list, stamp)
  end
  return carried
end
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
local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function read_lease(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local token, n0, mark = string.match(text, '^(%x+)|(%d+)~?(!*)$')
  if not token then
    token, n0 = string.match(text, '^late|(%x+)|(%d+)|')
    mark = '!'
  end
  return token, tonumber(n0), mark
end
local function live_for(key, life)
  if life == 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, life)
  end
end
local function set_or_full(...)
  local reply = redis.pcall('SET', ...)
  if not reply.err then
    return nil
  end
  if string.find(reply.err, 'OOM command not allowed', 1, true) then
    return reply.err
  end
  redis.call('SET', ...)
end
local function put(key, value, life)
  if life == 0 then
    return set_or_full(key, value)
  end
  return set_or_full(key, value, 'PX', life)
end
local function store(key, bytes, carried, life)
  for _, made in ipairs(carried.made) do
    local full = put(made[1], made[2], life)
    if full then
      return full
    end
  end
  local full = put(key, bytes, life)
  if full then
    return full
  end
  for _, short in ipairs(carried.short) do
    live_for(short, life)
  end
  return nil
end
local token, n0, mark = read_lease(KEYS[2])
if token ~= ARGV[2] then
  return { 'refused', 'lease' }
end
local function refuse(word, reason)
  redis.call('DEL', KEYS[2])
  if mark ~= '' then
    publish(ARGV[1], ARGV[7])
  end
  return { word, reason }
end
if not head_number(KEYS[3]) then
  return refuse('refused', 'chain')
end
local life = tonumber(ARGV[5])
local carried = carried_stamps({ unpack(KEYS, 4) }, { unpack(ARGV, 9) }, KEYS[3], n0, ARGV[8], life)
if carried.moved then
  return refuse('refused', 'moved')
end
local full = store(KEYS[1], entry_bytes(ARGV[3], n0, carried.list, ARGV[4]), carried, life)
if full then
  return refuse('failed', full)
end
redis.call('DEL', KEYS[2])
if mark ~= '' then
  publish(ARGV[1], ARGV[6])
end
return { 'stored', unpack(carried.list) }`,
  },
  'discard-1': {
    keys: 1,
    sha1: '575fdcaa9ee51e0d7f1d68d8a2eb75f6377cef57',
    lua: `local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local there = value_or_absent('GET', KEYS[1])
if type(there) ~= 'string' then
  return 0
end
local seen = ARGV[1]
if (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen) then
  return redis.call('DEL', KEYS[1])
end
return 0`,
  },
  'expire-3': {
    keys: 3,
    sha1: 'b63b72bea7a5d5c270649a43ab918f8d5effb061',
    lua: `local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local head = value_or_absent('GETRANGE', KEYS[1], 0, 35)
local link = next_link(KEYS[3])
redis.call('DEL', KEYS[2])
if type(head) == 'string' and #head == 36 and string.sub(head, 1, 3) == 'tc\\1' then
  redis.call('SETRANGE', KEYS[1], 28, struct.pack('>d', 0))
end
return chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])`,
  },
  'expire-tag-2': {
    keys: 2,
    sha1: '887a7b1341b40c1e69334bf6c9995a7761732bfe',
    lua: `local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
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
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local function read_stamp(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local stamp = read_stamp(KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if not stamp then
  local n = last_move(KEYS[2], ARGV[4])
  stamp = n and string.format('%.0f', n) .. ':' .. ARGV[2]
  left = tonumber(ARGV[5])
end
local link = next_link(KEYS[2])
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], link, ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if stamp then
  redis.call('SET', KEYS[1], stamp .. ':' .. n)
  if left > 0 then
    redis.call('PEXPIRE', KEYS[1], left)
  end
end
return n`,
  },
  'increment-n': {
    keys: 'n',
    sha1: '0b3692535648b8505da061735838cabe781e4345',
    lua: `local function ends_before(key, life)
  local left = redis.call('PTTL', key)
  return left >= 0 and (life == 0 or left < life)
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
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
local function read_stamp(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local function carried_stamps(keys, fields, q, n0, nonce, life)
  local carried = { list = {}, made = {}, short = {}, moved = false }
  for index, key in ipairs(keys) do
    local stamp, n = read_stamp(key)
    if not stamp then
      n = last_move(q, fields[index])
      stamp = string.format('%.0f', math.min(n or n0, n0)) .. ':' .. nonce
      table.insert(carried.made, { key, stamp })
    elseif ends_before(key, life) then
      table.insert(carried.short, key)
    end
    if not n or n > n0 then
      carried.moved = true
    end
    table.insert(carried.list, stamp)
  end
  return carried
end
local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
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
local function entry_counter(bytes, above, now)
  if type(bytes) ~= 'string' or #bytes < 62 or string.sub(bytes, 1, 3) ~= 'tc\\1' then
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
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local function set_or_full(...)
  local reply = redis.pcall('SET', ...)
  if not reply.err then
    return nil
  end
  if string.find(reply.err, 'OOM command not allowed', 1, true) then
    return reply.err
  end
  redis.call('SET', ...)
end
local function live_for(key, life)
  if life == 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, life)
  end
end
local function put(key, value, life)
  if life == 0 then
    return set_or_full(key, value)
  end
  return set_or_full(key, value, 'PX', life)
end
local function store(key, bytes, carried, life)
  for _, made in ipairs(carried.made) do
    local full = put(made[1], made[2], life)
    if full then
      return full
    end
  end
  local full = put(key, bytes, life)
  if full then
    return full
  end
  for _, short in ipairs(carried.short) do
    live_for(short, life)
  end
  return nil
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local life = tonumber(ARGV[5])
local link = next_link(KEYS[3])
local n0 = link.follows
local carried = carried_stamps({ unpack(KEYS, 4) }, { unpack(ARGV, 8) }, KEYS[3], n0, ARGV[2], life)
local there = value_or_absent('GET', KEYS[1])
local word, value, at = entry_counter(there, carried.list, now)
local fill = string.sub(ARGV[4], 5, 12)
if word == 'counter' and string.sub(there, 5, 12) == fill then
  return { 'stored', string.format('%.0f', value) }
end
if now > tonumber(ARGV[6]) then
  return { 'late' }
end
if word == 'wrong' then
  return { 'wrong' }
end
local sum = (value or 0) + tonumber(ARGV[7])
if sum > 9007199254740991 or sum < -9007199254740991 then
  return { 'overflow' }
end
local text = string.format('%.0f', sum)
local full
if word == 'counter' then
  local bytes = string.sub(there, 1, 4) .. fill .. string.sub(there, 13, at - 1) .. text
  full = set_or_full(KEYS[1], bytes, 'KEEPTTL')
else
  full = store(KEYS[1], entry_bytes(ARGV[4], n0, carried.list, text), carried, life)
end
if full then
  return { 'failed', full }
end
redis.call('DEL', KEYS[2])
chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])
return { 'stored', text }`,
  },
  'invalidate-3': {
    keys: 3,
    sha1: '223e8d4e08269b6206e34bdce70800d85c39dab6',
    lua: `local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local link = next_link(KEYS[3])
redis.call('DEL', KEYS[1], KEYS[2])
return chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])`,
  },
  'invalidate-group-2': {
    keys: 2,
    sha1: '3debaddcb04311d7cd354321984a833842427c8e',
    lua: `local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local function read_stamp(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local left = read_stamp(KEYS[1]) and redis.call('PTTL', KEYS[1]) or -2
local link = next_link(KEYS[2])
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], link, ARGV[1], ARGV[2], ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], n .. ':' .. ARGV[2])
if left ~= -1 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[5])))
end
return n`,
  },
  'release-1': {
    keys: 1,
    sha1: 'ccc297c6e8f2cb602f745c6e3aac72cc484c3878',
    lua: `local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function read_lease(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local token, n0, mark = string.match(text, '^(%x+)|(%d+)~?(!*)$')
  if not token then
    token, n0 = string.match(text, '^late|(%x+)|(%d+)|')
    mark = '!'
  end
  return token, tonumber(n0), mark
end
local token, _, mark = read_lease(KEYS[1])
if token ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[4] ~= '' then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
if mark ~= '' then
  publish(ARGV[2], ARGV[3])
end
return 1`,
  },
  'renew-1': {
    keys: 1,
    sha1: 'f484b87533c2285b3117cb95cafa2f5c8cc68828',
    lua: `local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local held = value_or_absent('GET', KEYS[1])
if type(held) == 'string' and string.match(held, '^(%x+)|') == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`,
  },
  'set-n': {
    keys: 'n',
    sha1: '270773496db0e928a801b07f192c7c9f48b0e677',
    lua: `local function ends_before(key, life)
  local left = redis.call('PTTL', key)
  return left >= 0 and (life == 0 or left < life)
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
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
local function read_stamp(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local function carried_stamps(keys, fields, q, n0, nonce, life)
  local carried = { list = {}, made = {}, short = {}, moved = false }
  for index, key in ipairs(keys) do
    local stamp, n = read_stamp(key)
    if not stamp then
      n = last_move(q, fields[index])
      stamp = string.format('%.0f', math.min(n or n0, n0)) .. ':' .. nonce
      table.insert(carried.made, { key, stamp })
    elseif ends_before(key, life) then
      table.insert(carried.short, key)
    end
    if not n or n > n0 then
      carried.moved = true
    end
    table.insert(carried.list, stamp)
  end
  return carried
end
local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
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
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local function live_for(key, life)
  if life == 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, life)
  end
end
local function set_or_full(...)
  local reply = redis.pcall('SET', ...)
  if not reply.err then
    return nil
  end
  if string.find(reply.err, 'OOM command not allowed', 1, true) then
    return reply.err
  end
  redis.call('SET', ...)
end
local function put(key, value, life)
  if life == 0 then
    return set_or_full(key, value)
  end
  return set_or_full(key, value, 'PX', life)
end
local function store(key, bytes, carried, life)
  for _, made in ipairs(carried.made) do
    local full = put(made[1], made[2], life)
    if full then
      return full
    end
  end
  local full = put(key, bytes, life)
  if full then
    return full
  end
  for _, short in ipairs(carried.short) do
    live_for(short, life)
  end
  return nil
end
local time = redis.call('TIME')
if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[8]) then
  return { 'late' }
end
if ARGV[9] ~= '' then
  local there = value_or_absent('GETRANGE', KEYS[1], 0, 51)
  if type(there) == 'string' and #there == 52 and string.sub(there, 1, 3) == 'tc\\1' then
    if struct.unpack('>d', there, 45) > tonumber(ARGV[9]) then
      return { 'older' }
    end
  end
end
local life = tonumber(ARGV[7])
local link = next_link(KEYS[3])
local n0 = link.follows
local carried = carried_stamps({ unpack(KEYS, 4) }, { unpack(ARGV, 10) }, KEYS[3], n0, ARGV[2], life)
local full = store(KEYS[1], entry_bytes(ARGV[5], n0, carried.list, ARGV[6]), carried, life)
if full then
  redis.call('DEL', KEYS[1], KEYS[2])
  return { 'failed', chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[4]), full }
end
redis.call('DEL', KEYS[2])
return { 'stored', chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3]), unpack(carried.list) }`,
  },
  'touch-n': {
    keys: 'n',
    sha1: '62e08ca4ed0d233dc952328c8c6e8eefcc4cae09',
    lua: `local function publish(channel, text)
  local command, name = string.match(channel, '^(%u+) (.+)$')
  redis.call(command, name, text)
end
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function ends_before(key, life)
  local left = redis.call('PTTL', key)
  return left >= 0 and (life == 0 or left < life)
end
local function live_for(key, life)
  if life == 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, life)
  end
end
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  return redis.call(...)
end
local function head_number(q)
  local text = value_or_absent('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
local head = value_or_absent('GETRANGE', KEYS[1], 0, 43)
if type(head) ~= 'string' or #head < 44 or string.sub(head, 1, 3) ~= 'tc\\1' then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local ends = math.huge
if ARGV[4] ~= 'never' then
  ends = now + tonumber(ARGV[4])
end
local fresh, stale = struct.unpack('>dd', head, 29)
if fresh == 0 then
  stale = math.max(stale, ends)
else
  local window = stale - fresh
  fresh = ends
  stale = ends
  if window > 0 then
    stale = ends + window
  end
end
local life = 0
if stale - now <= 9007199254740991 then
  life = math.max(1, math.ceil(stale - now))
end
local short = {}
for index = 4, #KEYS do
  if ends_before(KEYS[index], life) then
    table.insert(short, KEYS[index])
  end
end
local link = next_link(KEYS[3])
redis.call('DEL', KEYS[2])
redis.call('SETRANGE', KEYS[1], 28, struct.pack('>dd', fresh, stale))
live_for(KEYS[1], life)
for _, key in ipairs(short) do
  live_for(key, life)
end
chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])
return 1`,
  },
} as const
