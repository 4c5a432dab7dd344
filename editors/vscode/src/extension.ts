// Starts the server `gvtg-xml lsp`, hands it the settings, and adds the command that makes a domain one for GVT-g.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from 'vscode-languageclient/node';

const SECTION = 'gvtg-xml';

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const tell = () => client?.sendNotification('workspace/didChangeConfiguration', { settings: { [SECTION]: settings(context) } });
  context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(tell),
    vscode.commands.registerCommand('gvtg-xml.fixDomain', fixDomain),
    vscode.commands.registerCommand('gvtg-xml.restart', restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration(`${SECTION}.path`)) {
        await restart();
      } else if (event.affectsConfiguration(SECTION)) {
        await tell();
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

/** The settings that are the server's, as far as somebody set them; the others are this extension's own. */
function settings(context: vscode.ExtensionContext): Record<string, unknown> {
  const known: Record<string, { default: unknown }> = context.extension.packageJSON.contributes.configuration.properties;
  const set: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(known)) {
    const name = key.slice(SECTION.length + 1);
    const value = vscode.workspace.getConfiguration(SECTION).get(name);
    if (name !== 'path' && JSON.stringify(value) !== JSON.stringify(property.default)) {
      set[name] = value;
    }
  }
  if (!vscode.workspace.isTrusted && set.config === undefined) {
    set.isolated = true;
  }
  return set;
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
    const open = 'Open Settings';
    const message = `gvtg-xml could not be started (${reason}). Install it, or set its path in the setting gvtg-xml.path.`;
    // Not waited for: a message may stand there for hours.
    void vscode.window.showErrorMessage(message, open).then((chosen) =>
      chosen === open ? vscode.commands.executeCommand('workbench.action.openSettings', 'gvtg-xml.path') : undefined,
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

/** Does to the domain at hand what `gvtg-xml fix` does to a file: the server answers with an edit, which can be undone. */
async function fixDomain(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined || client === undefined) {
    return;
  }
  const uri = client.code2ProtocolConverter.asUri(document.uri);
  await client.sendRequest('workspace/executeCommand', { command: 'gvtg-xml.fix', arguments: [uri] });
}
