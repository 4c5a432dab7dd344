// Starts the language server `gvtg-xml lsp`, sends it the settings, and adds the command that fixes
// a domain for GVT-g.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from 'vscode-languageclient/node';

const SECTION = 'gvtg-xml';

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const sendSettings = () => client?.sendNotification('workspace/didChangeConfiguration', { settings: { [SECTION]: settings(context) } });
  context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(sendSettings),
    vscode.commands.registerCommand('gvtg-xml.fixDomain', fixDomain),
    vscode.commands.registerCommand('gvtg-xml.restart', restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration(`${SECTION}.path`)) {
        await restart();
      } else if (event.affectsConfiguration(SECTION)) {
        await sendSettings();
      }
    }),
  );
  extension = context;
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.dispose();
  client = undefined;
}

let extension: vscode.ExtensionContext;

/**
 * Returns the server's settings that differ from their defaults. `gvtg-xml.path` is not among them:
 * only the extension uses it. In an untrusted workspace the server ignores configuration files,
 * unless the user names one.
 */
function settings(context: vscode.ExtensionContext): Record<string, unknown> {
  const properties: Record<string, { default: unknown }> = context.extension.packageJSON.contributes.configuration.properties;
  const changedSettings: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(properties)) {
    const name = key.slice(SECTION.length + 1);
    const value = vscode.workspace.getConfiguration(SECTION).get(name);
    if (name !== 'path' && JSON.stringify(value) !== JSON.stringify(property.default)) {
      changedSettings[name] = value;
    }
  }
  if (!vscode.workspace.isTrusted && changedSettings.config === undefined) {
    changedSettings.isolated = true;
  }
  return changedSettings;
}

async function start(): Promise<void> {
  const command = vscode.workspace.getConfiguration(SECTION).get<string>('path') || 'gvtg-xml';
  const server: ServerOptions = { command, args: ['lsp'] };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: 'file', language: 'xml' },
      { scheme: 'untitled', language: 'xml' },
    ],
    initializationOptions: settings(extension),
    diagnosticCollectionName: SECTION,
  };
  try {
    await promisify(execFile)(command, ['--version']);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const openSettings = 'Open Settings';
    const message = `gvtg-xml could not be started (${reason}). Install it, or set its path in the setting gvtg-xml.path.`;
    // Not awaited: the message may stay open for hours.
    void vscode.window.showErrorMessage(message, openSettings).then((selected) =>
      selected === openSettings ? vscode.commands.executeCommand('workbench.action.openSettings', 'gvtg-xml.path') : undefined,
    );
    return;
  }
  client = new LanguageClient(SECTION, 'gvtg-xml', server, options);
  await client.start();
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

/**
 * Fixes the domain in the active editor like `gvtg-xml fix`. The server answers with a workspace
 * edit, which can be undone.
 */
async function fixDomain(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined || client === undefined) {
    return;
  }
  const uri = client.code2ProtocolConverter.asUri(document.uri);
  await client.sendRequest('workspace/executeCommand', { command: 'gvtg-xml.fix', arguments: [uri] });
}
