-- Drives Neovim with the configuration from docs/editors.md (/folder/piece) on the domain /folder/virsh000000.xml. Writes the findings
-- to findings.json, the hover text to hover.txt and the result of a quick fix to quick.xml, then applies and saves fix-all.
local function wait(what, condition)
  if not vim.wait(30000, condition, 20) then
    io.stderr:write('timed out waiting for ' .. what .. '\n')
    os.exit(1)
  end
end
local function write(name, text)
  local file = assert(io.open('/folder/' .. name, 'w'))
  file:write(text)
  file:close()
end
local function buffer() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') .. '\n' end

vim.cmd('filetype on')
vim.cmd('luafile /folder/piece')
vim.cmd('edit /folder/virsh000000.xml')
wait('findings', function() return #vim.diagnostic.get(0) > 0 end)

local found = {}
for _, one in ipairs(vim.diagnostic.get(0)) do
  table.insert(found, { rule = one.code, message = one.message, line = one.lnum + 1, severity = one.severity })
end
write('findings.json', vim.json.encode(found))

local function at(pattern)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  local line = vim.fn.search(pattern)
  assert(line > 0, pattern)
end
at('<video>')
local place = vim.lsp.util.make_position_params(0, 'utf-16')
local hovers = vim.lsp.buf_request_sync(0, 'textDocument/hover', place, 10000)
for _, hover in pairs(hovers) do write('hover.txt', hover.result.contents.value) end

local function act(kind, title)
  local before = buffer()
  vim.lsp.buf.code_action({
    context = { only = { kind }, diagnostics = {} },
    filter = function(action) return title == nil or action.title == title end,
    apply = true,
  })
  wait(kind, function() return buffer() ~= before end)
end
act('quickfix', 'Remove the <video>')
write('quick.xml', buffer())
act('source.fixAll')
vim.cmd('write')
vim.cmd('quitall!')
